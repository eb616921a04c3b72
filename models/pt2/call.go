package pt2

import (
	"encoding/json"
	"errors"
	"fmt"
)

// How a network is called is a pair of trees as torch.utils._pytree writes them: of the arguments
// and of the results.
const (
	leafSpec = `{"type": null, "context": null, "children_spec": []}`
	inSpec   = `[1, {"type": "builtins.tuple", "context": "null", "children_spec": [{"type": "builtins.tuple", "context": "null", "children_spec": [` +
		leafSpec + `]}, {"type": "builtins.dict", "context": "[]", "children_spec": []}]}]`
	outSpec = `[1, ` + leafSpec + `]`
)

// A tree is one of arguments.
type tree struct {
	Type     *string `json:"type"`
	Children []tree  `json:"children_spec"`
}

func (t *tree) isLeaf() bool { return t.Type == nil && len(t.Children) == 0 }

// called refuses a network that is not called with one tensor, or that does not return one.
func called(calls []moduleCall) error {
	for _, c := range calls {
		if c.FQN != "" || c.Signature == nil {
			continue
		}
		in, err := treeOf(c.Signature.InSpec)
		if err != nil {
			return err
		}
		out, err := treeOf(c.Signature.OutSpec)
		if err != nil {
			return err
		}
		switch {
		case len(in.Children) != 2 || len(in.Children[1].Children) > 0:
			return errors.New("it takes its input by name (kwargs): give it to torch.export.export in args, (x,), and " + exportAgain)
		case len(in.Children[0].Children) != 1 || !in.Children[0].Children[0].isLeaf():
			return errors.New("it takes several inputs, or its input in a list or dict: let forward take one tensor alone, and " + exportAgain)
		case !out.isLeaf():
			return errors.New("it gives its logits in a tuple, list or dict: let forward return the one tensor alone, and " + exportAgain)
		}
	}
	return nil
}

func treeOf(text string) (*tree, error) {
	var spec []json.RawMessage
	t := &tree{}
	err := json.Unmarshal([]byte(text), &spec)
	if err == nil && len(spec) != 2 {
		err = errors.New("it has no version and tree")
	}
	if err == nil {
		err = json.Unmarshal(spec[1], t)
	}
	if err != nil {
		return nil, fmt.Errorf("how it is called (%.80q) is not what torch.export writes (%w): %s", text, err, exportAgain)
	}
	return t, nil
}
