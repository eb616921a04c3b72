package prune

import (
	"fmt"
	"slices"
	"strings"

	"eegprune/models"
)

// A Method chooses what a network keeps at a ratio.
type Method struct {
	Name string
	Doc  string // one line: what it does and where it comes from
	// Select decides; the network is not changed.
	Select func(n *models.Network, ratio float64) (Keep, error)
}

// Methods returns every method there is. A new one is one file with a function that
// returns its Method, and one line here.
func Methods() []Method {
	return []Method{lfp()}
}

// MethodNames returns the methods' names.
func MethodNames() []string {
	var names []string
	for _, m := range Methods() {
		names = append(names, m.Name)
	}
	return names
}

// ByName returns the method of that name; the error lists those there are.
func ByName(name string) (Method, error) {
	all := Methods()
	i := slices.IndexFunc(all, func(m Method) bool { return m.Name == name })
	if i < 0 {
		return Method{}, fmt.Errorf("unknown pruning method %q: use one of %s", name, strings.Join(MethodNames(), ", "))
	}
	return all[i], nil
}
