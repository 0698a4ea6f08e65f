// Pins Alertmanager, which is built inside its own module: its sources embed a web page that a
// published module does not contain, so install.sh adds a placeholder to a copy of them.
module tidemark.invalid/peers/alertmanager

go 1.26

require github.com/prometheus/alertmanager v0.34.2
