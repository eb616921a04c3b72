#!/usr/bin/env python3
"""Makes tensorboard-2.21.tfevents with TensorBoard's own writer and messages: python make.py FILE"""
import sys

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

AT = 1700000000.25


def value(**fields):
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(**fields)])


text = value(tag="config",
             tensor=tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, tensor_shape=tensor_shape_pb2.TensorShapeProto(), string_val=["*ä*".encode()]),
             metadata=summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text")))
with open(sys.argv[1], "wb") as f:
    w = RecordWriter(f)
    for e in [event_pb2.Event(wall_time=AT, file_version="brain.Event:2"),
              event_pb2.Event(wall_time=AT, summary=text),
              event_pb2.Event(wall_time=AT, step=3, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
              event_pb2.Event(wall_time=AT, step=3, summary=value(tag="loss/train", simple_value=0.1)),
              event_pb2.Event(wall_time=AT, step=300, summary=value(tag="loss/train", simple_value=float("inf")))]:
        w.write(e.SerializeToString(deterministic=True))
