"""Sends spans with OpenTelemetry's SDK for Python as it comes, told where by its own variables.

    send.py grpc|http COUNT
"""

import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

protocol, count = sys.argv[1], int(sys.argv[2])
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), max_queue_size=count))
tracer = provider.get_tracer("python-sdk")
for index in range(count):
    with tracer.start_as_current_span("inference") as span:
        span.set_attribute("ml.stage", "inference")
        span.set_attribute("ml.model.name", "weather")
        span.set_attribute("ml.feature.wind", float(index * 7 % 30))
provider.shutdown()
print(f"sent {count}")
