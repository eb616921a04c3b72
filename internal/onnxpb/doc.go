// Package onnxpb is ONNX's own definition of its files, onnx.proto of release 1.23.2
// (github.com/onnx/onnx, Apache License 2.0, Copyright (c) ONNX Project Contributors), in
// Go as protoc makes it.
package onnxpb

// Needs protoc and protoc-gen-go on the path:
// go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
// and, for one, python -m pip install grpcio-tools, whose protoc is python -m grpc_tools.protoc.

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go_opt=Monnx.proto=github.com/eegprune/eegprune/internal/onnxpb onnx.proto
