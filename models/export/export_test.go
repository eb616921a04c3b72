package export_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/eegprune/eegprune/internal/onnxpb"
	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/export"
	"github.com/eegprune/eegprune/models/op"
)

func TestMain(m *testing.M) { os.Exit(reftest.Main(m)) }

func build(t *testing.T, name string) *models.Network {
	t.Helper()
	c := models.Config{Input: [3]int{4, 9, 9}, Classes: 3}
	if m, err := models.ByName(name); err == nil && !m.Grid {
		c = models.Config{Input: [3]int{1, 7, 640}, Classes: 3, Rate: 64}
	}
	a, err := models.Build(name, c)
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, a)
	reftest.Fill(t, n, 11)
	return n
}

func decode(t testing.TB, n *models.Network, o export.ONNXOptions) *onnxpb.ModelProto {
	t.Helper()
	var b bytes.Buffer
	if err := export.ONNX(&b, n, o); err != nil {
		t.Fatal(err)
	}
	m := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(b.Bytes(), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// checkGraph finds values that no node has made before they are used, and initialisers of
// another size than they say.
func checkGraph(t *testing.T, g *onnxpb.GraphProto) {
	t.Helper()
	made := map[string]bool{models.Input: true}
	width := map[onnxpb.TensorProto_DataType]int{onnxpb.TensorProto_FLOAT: 4, onnxpb.TensorProto_INT64: 8, onnxpb.TensorProto_INT8: 1,
		onnxpb.TensorProto_DOUBLE: 8, onnxpb.TensorProto_BOOL: 1, onnxpb.TensorProto_INT32: 4}
	for _, i := range g.GetInitializer() {
		size := width[onnxpb.TensorProto_DataType(i.GetDataType())]
		for _, d := range i.GetDims() {
			size *= int(d)
		}
		if size != len(i.GetRawData()) || made[i.GetName()] {
			t.Errorf("initialiser %s of shape %v has %d bytes, or is there twice", i.GetName(), i.GetDims(), len(i.GetRawData()))
		}
		made[i.GetName()] = true
	}
	used := map[string]bool{}
	for _, n := range g.GetNode() {
		for _, in := range n.GetInput() {
			if in != "" && !made[in] {
				t.Errorf("node %s takes %s, which is not made before it", n.GetName(), in)
			}
			used[in] = true
		}
		for _, out := range n.GetOutput() {
			if made[out] {
				t.Errorf("%s is made twice", out)
			}
			made[out] = true
		}
	}
	for _, n := range g.GetNode() { // of which one output may be for nobody
		if slices.ContainsFunc(n.GetOutput(), func(out string) bool { return used[out] }) {
			for _, out := range n.GetOutput() {
				used[out] = true
			}
		}
	}
	for name := range made {
		if !used[name] && name != export.Output {
			t.Errorf("%s is not used", name)
		}
	}
	if !made[export.Output] {
		t.Error("there are no logits")
	}
}

func TestONNXStructure(t *testing.T) {
	ops := map[string]string{
		"ccnn":      "Pad Conv Relu Pad Conv Relu Pad Conv Relu Pad Conv Relu Flatten Gemm Gemm",
		"ccnn-selu": "Pad Conv Relu Pad Conv Relu Pad Conv Relu Pad Conv Relu Flatten Gemm Selu Gemm",
		"fbccnn":    strings.Repeat("Conv Relu BatchNormalization ", 7) + "Flatten Gemm Relu Gemm Relu Gemm",
		"tsception": strings.Repeat("Conv LeakyRelu AveragePool ", 3) + "Concat BatchNormalization " + "Conv LeakyRelu AveragePool Pad Conv LeakyRelu AveragePool " +
			"Concat BatchNormalization Conv LeakyRelu AveragePool BatchNormalization ReduceMean Flatten Gemm Relu Gemm",
		"eegnet": "Conv BatchNormalization Conv BatchNormalization Elu AveragePool Conv Conv BatchNormalization Elu AveragePool Flatten Gemm",
	}
	for _, name := range models.Names() {
		n := build(t, name)
		for _, int8 := range []bool{false, true} {
			m := decode(t, n, export.ONNXOptions{Int8: int8, Version: "v1", Metadata: map[string]string{"eegprune": "{}"}})
			g := m.GetGraph()
			checkGraph(t, g)
			var got []string
			quantised := 0
			for _, node := range g.GetNode() {
				if node.GetOpType() == "DequantizeLinear" {
					quantised++
					continue
				}
				got = append(got, node.GetOpType())
			}
			if want := strings.Fields(ops[name]); len(want) > 0 && !slices.Equal(got, want) {
				t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(want, got))
			}
			weights := 0
			for _, op := range got {
				if strings.HasPrefix(op, "Conv") || op == "Gemm" {
					weights++
				}
			}
			if int8 && quantised != weights || !int8 && quantised != 0 {
				t.Errorf("%s: %d of %d weights are quantised", name, quantised, weights)
			}
			in := g.GetInput()[0].GetType().GetTensorType().GetShape().GetDim()
			if len(in) != 4 || in[0].GetDimParam() != "batch" || in[1].GetDimValue() != int64(n.Arch.Input[0]) || in[3].GetDimValue() != int64(n.Arch.Input[2]) {
				t.Errorf("%s: input %v", name, in)
			}
			if m.GetOpsetImport()[0].GetVersion() != 17 || m.GetMetadataProps()[0].GetKey() != "eegprune" || m.GetProducerVersion() != "v1" {
				t.Errorf("%s: %v, %v", name, m.GetOpsetImport(), m.GetMetadataProps())
			}
		}
	}
}

// TestInt8 has weights whose rounding is known, and a filter of zeros.
func TestInt8(t *testing.T) {
	a, err := models.Build("ccnn", models.Config{Input: [3]int{1, 1, 1}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, a)
	w := n.Tensor("lin2.weight")
	v := make([]float32, w.Len())
	copy(v, []float32{-127, 2.5, 63.49, 0.51, 127})
	reftest.Set(t, w, v)
	for _, i := range decode(t, n, export.ONNXOptions{Int8: true}).GetGraph().GetInitializer() {
		switch i.GetName() {
		case "lin2.weight.int8":
			minus := -127
			if want := []byte{byte(minus), 2, 63, 1, 127, 0}; !bytes.Equal(i.GetRawData()[:6], want) {
				t.Errorf("integers %v, want %v", i.GetRawData()[:6], want)
			}
		case "lin2.weight.scale":
			if want := []byte{0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f}; !bytes.Equal(i.GetRawData(), want) {
				t.Errorf("scales %v, want 1 and 1", i.GetRawData())
			}
		}
	}
}

// TestPythonIsNoWayIn has names of an architecture, which a file may hold, that would be
// something else in a program.
func TestPythonIsNoWayIn(t *testing.T) {
	for what, names := range map[string][3]string{
		"a statement":   {"x = __import__('os').system('id')", "norm", "flatten"},
		"a second line": {"x\nimport os", "norm", "flatten"},
		"a quote":       {`b."`, "norm", "flatten"},
		"a keyword":     {"lambda", "norm", "flatten"},
		"torch":         {"torch", "norm", "flatten"},
		"two in one":    {"norm.1", "norm", "flatten"},
		"two in two":    {"a.b", "a.b.c", "flatten"},
	} {
		net := op.NewNet(1, 2, 2)
		x := net.Conv2d(names[0], 1, 2, [2]int{2, 2}, op.ConvOptions{})(models.Input)
		net.Flatten(names[2])(net.BatchNorm2d(names[1], 2, op.NormOptions{})(x))
		a, err := models.Custom("m", [3]int{1, 2, 2}, 2, net)
		if err != nil {
			t.Fatal(err)
		}
		err = export.Python(&bytes.Buffer{}, a, nil)
		if err == nil || !strings.Contains(err.Error(), "rename") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", what, err)
		}
	}
	a := build(t, "ccnn").Arch.Clone()
	a.Model = "x\nimport os"
	var b bytes.Buffer
	if err := export.Python(&b, a, models.Masks{"z\nimport os": models.NewMask(3)}); err != nil || strings.Contains(b.String(), "\nimport os") {
		t.Errorf("%v:\n%s", err, b.String())
	}
}
