/** Degrees Celsius, to a tenth. */
exports.toAnswer = function toAnswer(outputs) {
  return { temp_max: Math.round(outputs.temp_max.data[0] * 10) / 10 };
};
