package models_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// sameArch compares architectures by the fields that files hold.
var sameArch = cmpopts.IgnoreUnexported(models.Arch{})

// small is a network with one of each kind of connection, that a test may damage.
func small() *models.Arch {
	net := op.NewNet(2, 4, 4)
	a, b := net.Conv2d("a", 2, 3, [2]int{1, 1}, op.ConvOptions{}), net.Conv2d("b", 2, 3, [2]int{1, 1}, op.ConvOptions{})
	x := net.BatchNorm2d("norm", 3, op.NormOptions{})(net.Cat("cat", 3)(a(models.Input), b(models.Input)))
	x = net.Flatten("flatten")(net.AvgPool2d("pool", [2]int{4, 8}, [2]int{})(x))
	net.Linear("out", 3, 2)(net.Dropout("drop", 0.5)(x))
	arch, err := models.Custom("small", [3]int{2, 4, 4}, 2, net)
	if err != nil {
		panic(err)
	}
	return arch
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	if err := small().Check(); err != nil {
		t.Fatal(err)
	}
	const huge = 1 << 62
	arg := func(node, arg string, value any) func(a *models.Arch) {
		return func(a *models.Arch) { a.Node(node).Args[arg] = value }
	}
	shape := func(tensor string, sizes ...int) func(a *models.Arch) {
		return func(a *models.Arch) { a.Tensor(tensor).Shape = sizes }
	}
	for what, c := range map[string]struct {
		damage func(a *models.Arch)
		says   []string
	}{
		"no layers":              {func(a *models.Arch) { a.Nodes = nil }, []string{"0 layers feed no other", "one output"}},
		"one class":              {func(a *models.Arch) { a.Classes = 1 }, []string{"1 classes", "at least 2"}},
		"classes that differ":    {func(a *models.Arch) { a.Classes = 3 }, []string{"gives [2], not 3 logits"}},
		"unknown input":          {arg("cat", "tensors", []op.Ref{"a", "b", "nosuch"}), []string{`"cat"`, `"nosuch"`, "not there"}},
		"an input of nothing":    {arg("pool", "self", op.Ref("")), []string{`"pool"`, `takes its input from ""`}},
		"a count as a map":       {arg("flatten", "self", op.Ref("norm.num_batches_tracked")), []string{`"flatten"`, "norm.num_batches_tracked", "nothing comes from the clips"}},
		"a count to normalise":   {arg("norm", "input", op.Ref("norm.num_batches_tracked")), []string{`"norm"`, "nothing comes from the clips"}},
		"a count among maps":     {arg("cat", "tensors", []op.Ref{"a", "b", "norm.num_batches_tracked"}), []string{`"cat"`, "[3 4 8] and []"}},
		"a weight as a map":      {arg("pool", "self", op.Ref("a.weight")), []string{`"pool"`, "a.weight", "nothing comes from the clips"}},
		"dropout of a weight":    {arg("drop", "input", op.Ref("norm.weight")), []string{`"drop"`, "nothing comes from the clips"}},
		"weights joined":         {func(a *models.Arch) { *a = *placed() }, []string{`"places"`, "places.upper, places.lower", "nothing comes from the clips"}},
		"no input":               {arg("a", "input", nil), []string{`"a"`, "input", "Tensor"}},
		"two inputs":             {arg("norm", "input", []op.Ref{"cat", "a"}), []string{`"norm"`, "input", "Tensor"}},
		"a later value":          {arg("a", "input", op.Ref("norm")), []string{`"a"`, `"norm"`, "not there before it"}},
		"a layer on itself":      {arg("a", "input", op.Ref("a")), []string{`"a"`, "not there before it"}},
		"a name twice":           {func(a *models.Arch) { a.Node("b").Name = "a" }, []string{`"a"`, "used twice"}},
		"no name":                {func(a *models.Arch) { a.Node("b").Name = "" }, []string{"empty"}},
		"a reserved name":        {func(a *models.Arch) { a.Node("b").Name = models.Input }, []string{`"input"`, "reserved"}},
		"a tensor twice":         {func(a *models.Arch) { a.Tensors = append(a.Tensors, a.Tensors[0]) }, []string{`"a.weight"`, "used twice"}},
		"a tensor of nothing":    {func(a *models.Arch) { a.Tensors = append(a.Tensors, op.Tensor{Name: "x.y", Shape: []int{2}}) }, []string{`"x"`, "no operation takes"}},
		"a tensor that is not":   {arg("a", "weight", op.Ref("nosuch")), []string{`"a"`, `"nosuch"`, "not there"}},
		"two outputs":            {arg("cat", "tensors", []op.Ref{"a", "a"}), []string{"2 layers feed no other"}},
		"unknown operation":      {func(a *models.Arch) { a.Node("drop").Op = "aten.transformer.default" }, []string{`"aten.transformer.default"`, "not known to this version"}},
		"an unknown argument":    {arg("drop", "q", 0.5), []string{`"drop"`, `"q"`}},
		"another kind":           {arg("drop", "p", "much"), []string{`"drop"`, "p", "float", "much"}},
		"channels of a conv":     {shape("a.weight", 3, 5, 1, 1), []string{`"a"`, "5 channels", "[2 4 4]"}},
		"no filters":             {shape("a.weight", 0, 2, 1, 1), []string{`"a"`}},
		"biases of other number": {shape("a.bias", 2), []string{`"a"`, "bias", "[3]"}},
		"groups":                 {arg("a", "groups", 2), []string{`"a"`, "2 groups"}},
		"no groups":              {arg("a", "groups", 0), []string{`"a"`, "0 groups"}},
		"a kernel too large":     {shape("a.weight", 3, 2, 5, 1), []string{`"a"`, "[5 1] does not fit into 4x4"}},
		"a pool too large":       {arg("pool", "kernel_size", []int{5, 5}), []string{`"pool"`, "does not fit"}},
		"a pool of one size":     {arg("pool", "kernel_size", []int{1, 2, 3}), []string{`"pool"`}},
		"negative padding":       {arg("a", "padding", []int{-1, -1}), []string{`"a"`, "padding [-1 -1]"}},
		"overflowing padding":    {arg("a", "padding", []int{huge, huge}), []string{`"a"`, "padding"}},
		"channels of a norm":     {shape("norm.weight", 4), []string{`"norm"`, "4 channels", "[3 4 8]"}},
		"shapes joined":          {arg("b", "padding", []int{1, 0}), []string{`"cat"`, "[3 4 4] and [3 6 4]", "dimension 3"}},
		"joined along the batch": {arg("cat", "dim", 0), []string{`"cat"`, "dimension 0"}},
		"joined along nothing":   {arg("cat", "dim", 4), []string{`"cat"`, "dimension 4"}},
		"joined from the end":    {arg("cat", "dim", -9), []string{`"cat"`, "dimension -5"}},
		"a map into linear": {func(a *models.Arch) {
			*a.Node("flatten") = op.Node{Name: "flatten", Op: op.ReLU, Args: op.Args{"self": op.Ref("pool")}}
		}, []string{`"out"`, "gets [3 1 1]"}},
		"features of linear": {shape("out.weight", 2, 4), []string{`"out"`, "4 features", "gets [3]"}},
		"a vector into a pool": {func(a *models.Arch) {
			*a.Node("drop") = op.Node{Name: "drop", Op: op.AvgPool2d, Args: op.Args{"self": op.Ref("flatten"), "kernel_size": []int{1, 1}}}
		}, []string{`"drop"`, "[channels, height, width]", "[3]"}},
		"a mean of one dimension": {func(a *models.Arch) {
			*a.Node("drop") = op.Node{Name: "drop", Op: op.Mean, Args: op.Args{"self": op.Ref("flatten"), "dim": []int{-1}}}
		}, []string{`"drop"`, "mean"}},
		"eps of a norm":         {arg("norm", "eps", -1.0), []string{`"norm"`, "eps -1"}},
		"momentum of a norm":    {arg("norm", "momentum", 2.0), []string{`"norm"`, "momentum 2", "[0, 1]"}},
		"a bound below nothing": {func(a *models.Arch) { a.Tensor("a.weight").MaxNorm = -1 }, []string{`"a"`, "norm of -1", "above 0"}},
		"a bound of no filters": {func(a *models.Arch) { a.Tensor("norm.weight").MaxNorm = 1 }, []string{`"norm"`, "of a weight"}},
		"a probe of nothing":    {func(a *models.Arch) { a.Tensor("out.weight").Probe = "nosuch" }, []string{`"out"`, `"nosuch"`}},
		"dropping all":          {arg("drop", "p", 1.0), []string{`"drop"`, "probability of 1", "[0, 1)"}},
		"negative dropout":      {arg("drop", "p", -0.1), []string{"[0, 1)"}},
		"an empty input":        {func(a *models.Arch) { a.Input[1] = 0 }, []string{"input of shape [2 0 4]"}},
		"a huge input":          {func(a *models.Arch) { a.Input = [3]int{2, 1 << 30, 1 << 30} }, []string{"too large"}},
		"an overflowing input":  {func(a *models.Arch) { a.Input = [3]int{2, huge, huge} }, []string{"input of shape"}},
		"huge filters":          {shape("a.weight", huge, 2, 1, 1), []string{`"a"`}},
		"huge weights":          {func(a *models.Arch) { shape("a.weight", 1<<39, 2, 1, 1)(a); shape("a.bias", 1<<39)(a) }, []string{`"a"`, "too"}},
		"a group of nothing":    {func(a *models.Arch) { a.Groups[0].Channels = 0 }, []string{`group "norm"`, "0 channels"}},
		"a group's size":        {func(a *models.Arch) { a.Groups[0].Channels = 4 }, []string{`group "norm"`, "4 channels"}},
		"a group that is none":  {func(a *models.Arch) { a.Groups[0].Name = "nosuch" }, []string{`group "nosuch"`, "none of"}},
		"kept channels":         {func(a *models.Arch) { a.Groups[0].Kept = []int{0, 1} }, []string{`group "norm"`, "kept [0 1]", "has 3"}},
	} {
		t.Run(what, func(t *testing.T) {
			a := small()
			c.damage(a)
			err := a.Check()
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range append(c.says, "small: ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") || len(err.Error()) > 250 {
				t.Errorf("not one short sentence: %q", err)
			}
			// The others must refuse all that Check refuses, not run into it.
			if _, err := models.New(a, torch.CPU, nil); err == nil {
				t.Error("New makes a network of it")
			}
			a.Count()
			a.Walk(func(*op.Call) {})
		})
	}
}

// placed is a network that concatenates learned position tensors, which no clip is part of.
func placed() *models.Arch {
	weight := func(name string, shape ...int) op.Tensor { return op.Tensor{Name: name, Shape: shape} }
	return &models.Arch{Model: "small", Input: [3]int{2, 4, 4}, Classes: 2,
		Nodes: []op.Node{
			{Name: "places", Op: op.Cat, Args: op.Args{"tensors": []op.Ref{"places.upper", "places.lower"}, "dim": 2}},
			{Name: "add", Op: op.Add, Args: op.Args{"self": op.Ref(models.Input), "other": op.Ref("places")}},
			{Name: "flatten", Op: op.Flatten, Args: op.Args{"self": op.Ref("add"), "start_dim": 1}},
			{Name: "out", Op: op.Linear, Args: op.Args{"input": op.Ref("flatten"), "weight": op.Ref("out.weight")}},
		},
		Tensors: []op.Tensor{weight("places.upper", 1, 2, 1, 4), weight("places.lower", 1, 2, 3, 4), weight("out.weight", 2, 32)}}
}

func TestCloneSharesNothing(t *testing.T) {
	a := small()
	a.Groups[0].Kept = []int{0, 1, 2}
	c := a.Clone()
	c.Node("cat").Args["tensors"].([]op.Ref)[0] = "changed"
	c.Node("pool").Args["kernel_size"].([]int)[0] = 77
	c.Tensors[0].Shape[0] = 77
	c.Groups[0].Parts[0].Tensor = "changed"
	c.Groups[0].Parts[0].Index[0][0] = 77
	c.Groups[0].Kept[0] = 77
	if d := cmp.Diff(small().Groups[0].Parts, a.Groups[0].Parts); d != "" || a.Check() != nil || a.Groups[0].Kept[0] != 0 {
		t.Errorf("a change of the copy shows in the original: %v, %+v", a.Check(), a)
	}
}
