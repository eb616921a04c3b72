package models_test

import (
	"strings"
	"testing"

	"eegprune/models"
	"eegprune/torch"
)

// small is a network with one of each kind of connection, that a test may damage.
func small() *models.Arch {
	return &models.Arch{Model: "small", Input: [3]int{2, 4, 4}, Classes: 2,
		Layers: []models.Layer{
			{Name: "a", Op: models.Conv2d, Inputs: []string{models.Input}, In: 2, Out: 3, Kernel: [2]int{1, 1}},
			{Name: "b", Op: models.Conv2d, Inputs: []string{models.Input}, In: 2, Out: 3, Kernel: [2]int{1, 1}},
			{Name: "cat", Op: models.Cat, Inputs: []string{"a", "b"}, Dim: 3},
			{Name: "norm", Op: models.BatchNorm2d, Inputs: []string{"cat"}, Out: 3},
			{Name: "pool", Op: models.AvgPool2d, Inputs: []string{"norm"}, Kernel: [2]int{4, 8}},
			{Name: "flatten", Op: models.Flatten, Inputs: []string{"pool"}},
			{Name: "drop", Op: models.Dropout, Inputs: []string{"flatten"}, P: 0.5},
			{Name: "out", Op: models.Linear, Inputs: []string{"drop"}, In: 3, Out: 2},
		},
		Groups: []models.Group{{Name: "g", Channels: 3, Producers: models.Members("a", "b"), Norms: models.Members("norm"), Consumers: models.Members("out")}},
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	if err := small().Check(); err != nil {
		t.Fatal(err)
	}
	const huge = 1 << 62
	for what, c := range map[string]struct {
		damage func(a *models.Arch)
		says   []string
	}{
		"no layers":              {func(a *models.Arch) { a.Layers = nil }, []string{"0 layers feed no other", "one output"}},
		"one class":              {func(a *models.Arch) { a.Classes = 1 }, []string{"1 classes", "at least 2"}},
		"classes that differ":    {func(a *models.Arch) { a.Classes = 3 }, []string{"gives [2], not 3 logits"}},
		"unknown input":          {func(a *models.Arch) { a.Layer("cat").Inputs = []string{"a", "b", "nosuch"} }, []string{`"cat"`, `"nosuch"`, "not there"}},
		"no input":               {func(a *models.Arch) { a.Layer("pool").Inputs = nil; a.Layer("drop").Inputs = []string{"norm"} }, []string{"2 layers feed no other"}},
		"a layer without inputs": {func(a *models.Arch) { a.Layer("a").Inputs = nil }, []string{`"a" has 0 inputs`}},
		"two inputs":             {func(a *models.Arch) { a.Layer("norm").Inputs = []string{"cat", "a"} }, []string{`"norm" has 2 inputs`}},
		"a cycle":                {func(a *models.Arch) { a.Layer("a").Inputs[0] = "norm" }, []string{"depends on itself"}},
		"a layer on itself":      {func(a *models.Arch) { a.Layer("a").Inputs[0] = "a" }, []string{`"a" depends on itself`}},
		"a cycle beside the rest": {func(a *models.Arch) {
			a.Layer("a").Inputs[0] = "b"
			a.Layer("b").Inputs[0] = "a"
			a.Layer("cat").Inputs = []string{models.Input}
		}, []string{"depends on itself"}},
		"a name twice":            {func(a *models.Arch) { a.Layer("b").Name = "a" }, []string{`"a"`, "used twice"}},
		"no name":                 {func(a *models.Arch) { a.Layer("b").Name = "" }, []string{"empty"}},
		"a reserved name":         {func(a *models.Arch) { a.Layer("b").Name = models.Input }, []string{`"input"`, "reserved"}},
		"two outputs":             {func(a *models.Arch) { a.Layer("cat").Inputs = []string{"a"} }, []string{"2 layers feed no other"}},
		"unknown operation":       {func(a *models.Arch) { a.Layer("drop").Op = "transformer" }, []string{`"transformer"`, "not known to this version"}},
		"channels of a conv":      {func(a *models.Arch) { a.Layer("a").In = 5 }, []string{`"a"`, "5 channels", "[2 4 4]"}},
		"no filters":              {func(a *models.Arch) { a.Layer("a").Out = 0 }, []string{`"a"`}},
		"groups":                  {func(a *models.Arch) { a.Layer("a").Groups = 2 }, []string{`"a"`, "2 groups"}},
		"no kernel":               {func(a *models.Arch) { a.Layer("a").Kernel = [2]int{} }, []string{`"a"`, "kernel [0 0]"}},
		"a kernel too large":      {func(a *models.Arch) { a.Layer("a").Kernel = [2]int{5, 1} }, []string{`"a"`, "[5 1] does not fit into 4x4"}},
		"a pool too large":        {func(a *models.Arch) { a.Layer("pool").Kernel = [2]int{5, 5} }, []string{`"pool"`, "does not fit"}},
		"negative padding":        {func(a *models.Arch) { a.Layer("a").Pad = [4]int{-1, -1, 0, 0} }, []string{`"a"`, "padding [-1 -1 0 0]"}},
		"overflowing padding":     {func(a *models.Arch) { a.Layer("a").Pad = [4]int{huge, huge, huge, huge} }, []string{`"a"`, "padding"}},
		"channels of a norm":      {func(a *models.Arch) { a.Layer("norm").Out = 4 }, []string{`"norm"`, "4 channels", "[3 4 8]"}},
		"shapes joined":           {func(a *models.Arch) { a.Layer("b").Pad = [4]int{0, 0, 1, 0} }, []string{`"cat"`, "[3 4 4] and [3 5 4]", "dimension 3"}},
		"joined along the batch":  {func(a *models.Arch) { a.Layer("cat").Dim = 0 }, []string{`"cat"`, "dimension 0"}},
		"joined along nothing":    {func(a *models.Arch) { a.Layer("cat").Dim = 4 }, []string{`"cat"`, "dimension 4"}},
		"a map into linear":       {func(a *models.Arch) { a.Layer("flatten").Op = models.ReLU }, []string{`"out"`, "gets [3 1 1]"}},
		"features of linear":      {func(a *models.Arch) { a.Layer("out").In = 4 }, []string{`"out"`, "4 features", "gets [3]"}},
		"a vector into a pool":    {func(a *models.Arch) { a.Layer("drop").Op = models.AvgPool2d }, []string{`"drop"`, "[channels, height, width]", "[3]"}},
		"a mean of one dimension": {func(a *models.Arch) { a.Layer("drop").Op = models.Mean }, []string{`"drop"`, "mean"}},
		"eps of a norm":           {func(a *models.Arch) { a.Layer("norm").Eps = -1 }, []string{`"norm"`, "eps -1"}},
		"momentum of a norm":      {func(a *models.Arch) { a.Layer("norm").Momentum = 2 }, []string{`"norm"`, "momentum 2", "[0, 1]"}},
		"a bound below nothing":   {func(a *models.Arch) { a.Layer("a").MaxNorm = -1 }, []string{`"a"`, "norm of -1", "above 0"}},
		"a bound of no filters":   {func(a *models.Arch) { a.Layer("norm").MaxNorm = 1 }, []string{`"norm"`, "batch_norm2d"}},
		"dropping all":            {func(a *models.Arch) { a.Layer("drop").P = 1 }, []string{`"drop"`, "probability of 1", "[0, 1)"}},
		"negative dropout":        {func(a *models.Arch) { a.Layer("drop").P = -0.1 }, []string{"[0, 1)"}},
		"an empty input":          {func(a *models.Arch) { a.Input[1] = 0 }, []string{"input of shape [2 0 4]"}},
		"a huge input":            {func(a *models.Arch) { a.Input = [3]int{2, 1 << 30, 1 << 30} }, []string{"too large"}},
		"an overflowing input":    {func(a *models.Arch) { a.Input = [3]int{2, huge, huge} }, []string{"input of shape"}},
		"huge filters":            {func(a *models.Arch) { a.Layer("a").Out = huge }, []string{`"a"`}},
		"huge weights": {func(a *models.Arch) {
			a.Layer("out").Name, a.Layer("out").Out = "hidden", 1<<39
			a.Layers = append(a.Layers, models.Layer{Name: "last", Op: models.Linear, Inputs: []string{"hidden"}, In: 1 << 39, Out: 2})
		}, []string{`"hidden"`, "too many weights"}},
		"a group of nothing":    {func(a *models.Arch) { a.Groups[0].Channels = 0 }, []string{`group "g"`, "0 channels"}},
		"no producers":          {func(a *models.Arch) { a.Groups[0].Producers = nil }, []string{`group "g"`, "0 producers"}},
		"no consumers":          {func(a *models.Arch) { a.Groups[0].Consumers = nil }, []string{`group "g"`, "0 consumers"}},
		"a member that is none": {func(a *models.Arch) { a.Groups[0].Norms[0].Layer = "nosuch" }, []string{`group "g"`, `"nosuch"`, "not there"}},
		"a member's size":       {func(a *models.Arch) { a.Groups[0].Consumers[0].Span = 2 }, []string{`group "g"`, "3 channels of span 2", `"out" has 3`}},
		"a group's size":        {func(a *models.Arch) { a.Groups[0].Channels = 4 }, []string{`group "g"`, "4 channels of span 1", `"a" has 3`}},
		"no span":               {func(a *models.Arch) { a.Groups[0].Norms[0].Span = 0 }, []string{`group "g"`, "span 0"}},
		"a product that overflows": {func(a *models.Arch) {
			a.Groups[0] = models.Group{Name: "g", Channels: huge, Producers: []models.Member{{Layer: "pool", Span: 4}}, Consumers: []models.Member{{Layer: "pool", Span: 4}}}
		}, []string{`group "g"`, `"pool" has 0`}},
		"kept channels": {func(a *models.Arch) { a.Groups[0].Kept = []int{0, 1} }, []string{`group "g"`, "kept [0 1]", "has 3"}},
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
			// What Check refuses, the others must refuse too, not run into.
			if _, err := models.New(a, torch.CPU, nil); err == nil {
				t.Error("New makes a network of it")
			}
			a.Count()
			a.Shapes()
		})
	}
}

func TestCloneSharesNothing(t *testing.T) {
	a := small()
	a.Groups[0].Kept = []int{0, 1, 2}
	c := a.Clone()
	c.Layers[2].Inputs[0] = "changed"
	c.Layers[0].Out = 77
	c.Groups[0].Producers[0].Layer = "changed"
	c.Groups[0].Norms[0].Span = 77
	c.Groups[0].Consumers[0].Span = 77
	c.Groups[0].Kept[0] = 77
	if err := a.Check(); err != nil || a.Groups[0].Kept[0] != 0 || a.Layers[2].Inputs[0] != "a" {
		t.Errorf("a change of the copy shows in the original: %v, %+v", err, a)
	}
}
