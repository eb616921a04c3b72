package op

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// In JSON a Ref is its name after a %, as in the graphs that PyTorch prints; a Choice is its name
// after an @, and a number of clips the factor after an x. A number that is not whole by its type
// has a point.

// MarshalJSON writes the arguments as one object.
func (a Args) MarshalJSON() ([]byte, error) {
	m := map[string]any{}
	for name, v := range a {
		m[name] = encoded(v)
	}
	return json.Marshal(m)
}

func encoded(v any) any {
	switch v := v.(type) {
	case Ref:
		return "%" + string(v)
	case Choice:
		return "@" + string(v)
	case string:
		if v != "" && strings.ContainsRune(`%@x\`, rune(v[0])) {
			return `\` + v
		}
		return v
	case Size:
		if v.Clips {
			return "x" + strconv.Itoa(v.N)
		}
		return v.N
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		switch {
		case strings.ContainsAny(text, "IN"): // infinite or none: JSON has no number for it
			return "x" + text
		case !strings.ContainsAny(text, ".e"):
			text += ".0"
		}
		return json.RawMessage(text)
	case []Ref:
		return each(v)
	case []Size:
		return each(v)
	case []float64:
		return each(v)
	}
	return v
}

func each[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = encoded(v)
	}
	return all
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Args) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return err
	}
	*a = Args{}
	for name, v := range m {
		value, err := decoded(v)
		if err != nil {
			return fmt.Errorf("argument %q: %w", name, err)
		}
		(*a)[name] = value
	}
	return nil
}

func decoded(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return decodedText(v)
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return v.Float64()
		}
		n, err := v.Int64()
		return int(n), err
	case []any:
		return decodedList(v)
	case bool, nil:
		return v, nil
	}
	return nil, fmt.Errorf("%v is no argument of an operation", v)
}

func decodedText(v string) (any, error) {
	if v == "" {
		return v, nil
	}
	switch rest := v[1:]; v[0] {
	case '%':
		return Ref(rest), nil
	case '@':
		return Choice(rest), nil
	case '\\':
		return rest, nil
	case 'x':
		if n, err := strconv.Atoi(rest); err == nil {
			return Size{N: n, Clips: true}, nil
		}
		return strconv.ParseFloat(rest, 64)
	}
	return v, nil
}

// decodedList makes a list of the one type that its elements have; whole numbers may stand among
// sizes and other numbers.
func decodedList(list []any) (any, error) {
	all := make([]any, len(list))
	kinds := map[string]int{}
	for i, e := range list {
		v, err := decoded(e)
		if err != nil {
			return nil, err
		}
		all[i] = v
		kinds[fmt.Sprintf("%T", v)]++
	}
	n := len(all)
	switch {
	case kinds["int"] == n:
		return listOf(all, func(v any) int { return v.(int) }), nil
	case kinds["op.Ref"] == n:
		return listOf(all, func(v any) Ref { return v.(Ref) }), nil
	case kinds["bool"] == n:
		return listOf(all, func(v any) bool { return v.(bool) }), nil
	case kinds["torch.Size"]+kinds["int"] == n:
		return listOf(all, func(v any) Size {
			if whole, ok := v.(int); ok {
				return Size{N: whole}
			}
			return v.(Size)
		}), nil
	case kinds["float64"]+kinds["int"] == n:
		return listOf(all, func(v any) float64 {
			if whole, ok := v.(int); ok {
				return float64(whole)
			}
			return v.(float64)
		}), nil
	}
	return nil, fmt.Errorf("a list has elements of several kinds: %v", list)
}

func listOf[T any](all []any, as func(any) T) []T {
	list := make([]T, len(all))
	for i, v := range all {
		list[i] = as(v)
	}
	return list
}
