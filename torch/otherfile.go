package torch

import (
	"archive/zip"
	"bytes"
	"path"
	"path/filepath"
	"strings"

	"github.com/eegprune/eegprune/internal/magic"
)

// Advice on a file to give in place of one that can't be read.
const (
	give         = `give a .safetensors file, or one of torch.save(model.state_dict(), "FILE.pt")`
	giveSource   = "give the checkpoint that it was made of: a .safetensors file, or one of torch.save(model.state_dict(), \"FILE.pt\")"
	copyWeights  = "set its weights in a PyTorch network of the same layers, and " + give
	zipBeginning = "PK\x03\x04"
)

// otherFile names the kind of a file that holds no tensors for [ReadStateFile], and says what to give
// instead. It is empty where the file may hold some.
func otherFile(b []byte, name string) string {
	extension := strings.ToLower(filepath.Ext(name))
	is, mend := magic.Name(b[:min(len(b), magic.Length)])
	switch {
	case bytes.HasPrefix(b, []byte(zipBeginning)):
		return otherArchive(b)
	case strings.HasPrefix(is, "HDF5"):
		return "an HDF5 file, as Keras writes weights (.h5), and none of PyTorch: " + copyWeights
	case len(b) >= 8 && string(b[4:8]) == "TFL3":
		return "a TensorFlow Lite model: " + copyWeights
	case mend != "":
		return is + ": " + mend
	case is != "":
		return is + ": " + give
	case extension == ".onnx" || isONNX(b):
		return "an ONNX model, which export writes and no command reads: " + giveSource
	case extension == ".json" || bytes.HasPrefix(bytes.TrimSpace(b[:min(len(b), 64)]), []byte("{")):
		return "a text of JSON, such as the index of a network in several files: " + give
	case extension == ".pb":
		return "a TensorFlow graph: " + copyWeights
	}
	return ""
}

// otherArchive is otherFile for zip files, which torch.save's are too.
func otherArchive(b []byte) string {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "" // its reader says what is wrong with it
	}
	is := ""
	for _, f := range z.File {
		switch base := path.Base(f.Name); {
		case base == "data.pkl":
			return ""
		case base == "model.weights.h5":
			is = "a Keras model (.keras): " + copyWeights
		case strings.HasSuffix(base, ".npy"):
			is = "an .npz file of NumPy arrays: " + give
		case base == "serialized_exported_program.json" || base == "archive_format":
			is = "an archive of torch.export (.pt2): " + giveSource
		}
	}
	return is
}

// isONNX looks for the first fields of a ModelProto: the version of the format, and the
// producer, its version, a domain, the graph or the operators' versions after it.
func isONNX(b []byte) bool {
	return len(b) > 3 && b[0] == 0x08 && b[1] > 0 && b[1] < 64 && bytes.IndexByte([]byte{0x12, 0x1a, 0x22, 0x3a, 0x42}, b[2]) >= 0
}
