package models_test

import (
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/models"
)

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
