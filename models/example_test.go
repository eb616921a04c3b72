package models_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// A network is built for clips of four bands on the grid, drawn as PyTorch draws it from the same
// seed, saved and loaded.
func Example() {
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Free()
	n, err := models.New(arch, torch.CPU, g)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Free()

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fbccnn.safetensors")
	if err := n.Save(path, nil); err != nil {
		log.Fatal(err)
	}
	loaded, _, err := models.Load(path, torch.CPU)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Free()

	counts, err := loaded.Arch.Count()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loaded.Arch.Model, counts.Parameters, "parameters,", counts.MACs(), "MACs")
	// Output: fbccnn 2118230 parameters, 60040136 MACs
}

// A scope owns the tensors that a forward pass makes.
func ExampleNetwork_Forward() {
	arch, err := models.Build("eegnet", models.Config{Input: [3]int{1, 32, 256}, Classes: 3, Rate: 128})
	if err != nil {
		log.Fatal(err)
	}
	n, err := models.New(arch, torch.CPU, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Free()
	clips, err := torch.Zeros(8, 1, 32, 256)
	if err != nil {
		log.Fatal(err)
	}
	defer clips.Free()

	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	logits := n.Forward(s, clips, models.Pass{})
	if err := s.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(logits.Shape())
	// Output: [8 3]
}

// The built-in networks are listed by name.
func ExampleNames() {
	fmt.Println(strings.Join(models.Names(), "\n"))
	// Output:
	// ccnn
	// ccnn-selu
	// deep4net
	// eegnet
	// fbccnn
	// shallowconvnet
	// tsception
}

// An unknown name gives an error that lists the known ones.
func ExampleByName() {
	m, err := models.ByName("fbccnn")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Name, "takes features on a grid:", m.Grid)
	// Output: fbccnn takes features on a grid: true
}
