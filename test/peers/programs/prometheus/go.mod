// Pins Prometheus, which is built inside its own module, as its go.mod replaces modules. v0.314.0 is
// the Go module's name for Prometheus 3.14.0.
module tidemark.invalid/peers/prometheus

go 1.26

require github.com/prometheus/prometheus v0.314.0
