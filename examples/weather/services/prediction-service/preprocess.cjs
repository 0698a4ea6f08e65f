const { Tensor } = require("onnxruntime-node");

/** One row for the model, in the order in which it was trained. */
exports.toTensor = function toTensor({ precipitation, wind, temp_min, season }) {
  return new Tensor("float32", [precipitation, wind, temp_min, season], [1, 4]);
};
