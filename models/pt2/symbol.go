package pt2

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A size is times*batch + plus.
type size struct{ times, plus int }

// Bounds of expressions.
const (
	maxSize  = 1 << 40
	maxDepth = 64
)

// symbols evaluates the expressions that PyTorch writes for sizes: trees of sympy's as its srepr
// prints them, Mul(Integer(2), Symbol('s77', positive=True, integer=True)).
type symbols struct {
	batch    string // the symbol of the batch's size
	min, max int    // its range
	known    map[string]size
}

var errOther = errors.New("a size depends on another than that of the batch")

// eval evaluates an expression.
func (s *symbols) eval(text string) (size, error) {
	if v, ok := s.known[text]; ok {
		return v, nil
	}
	e := expr{symbols: s, rest: text}
	v, err := e.term(maxDepth)
	if err == nil && strings.TrimSpace(e.rest) != "" {
		err = fmt.Errorf("%.40q follows it", e.rest)
	}
	if err != nil {
		return size{}, fmt.Errorf("the size %.200s: %w", text, err)
	}
	s.known[text] = v
	return v, nil
}

// An expr is an expression that is being read.
type expr struct {
	*symbols
	rest string
}

// take passes over one text.
func (e *expr) take(text string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(e.rest, " "), text)
	if ok {
		e.rest = rest
	}
	return ok
}

// word takes the letters, digits and signs that come next.
func (e *expr) word() string {
	e.rest = strings.TrimLeft(e.rest, " ")
	n := strings.IndexFunc(e.rest, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if n < 0 {
		n = len(e.rest)
	}
	word := e.rest[:n]
	e.rest = e.rest[n:]
	return word
}

func (e *expr) term(depth int) (size, error) {
	if depth == 0 {
		return size{}, errors.New("it is nested too deeply")
	}
	word := e.word()
	if !e.take("(") {
		return size{}, fmt.Errorf("%.40q is not understood", word+e.rest)
	}
	switch word {
	case "Integer":
		n, err := strconv.Atoi(e.word())
		if err != nil || n > maxSize || n < -maxSize || !e.take(")") {
			return size{}, errors.New("a number in it is none, or too large")
		}
		return size{0, n}, nil
	case "Symbol":
		return e.symbol()
	}
	var args []size
	for !e.take(")") {
		if len(args) > 0 && !e.take(",") {
			return size{}, fmt.Errorf("%.40q is not understood", e.rest)
		}
		v, err := e.term(depth - 1)
		if err != nil {
			return size{}, err
		}
		args = append(args, v)
	}
	if len(args) == 0 {
		return size{}, fmt.Errorf("%.40s is computed of nothing", word)
	}
	v := args[0]
	for _, w := range args[1:] {
		var err error
		if v, err = e.apply(word, v, w); err != nil {
			return size{}, err
		}
		if v.times > maxSize || v.times < -maxSize || v.plus > maxSize || v.plus < -maxSize {
			return size{}, errors.New("it is too large")
		}
	}
	if len(args) == 1 && word != "Identity" {
		return size{}, fmt.Errorf("%.40s of one number is not known here", word)
	}
	return v, nil
}

// symbol reads the rest of Symbol('s77', positive=True, integer=True).
func (e *expr) symbol() (size, error) {
	inner, rest, ok := strings.Cut(e.rest, ")")
	if !ok {
		return size{}, errors.New("it ends too early")
	}
	e.rest = rest
	name, _, _ := strings.Cut(inner, ",")
	if strings.Trim(name, `'" `) != e.batch || e.batch == "" {
		return size{}, errOther
	}
	return size{1, 0}, nil
}

// apply applies a function to two sizes, each no larger than maxSize.
func (e *expr) apply(f string, v, w size) (size, error) {
	switch f {
	case "Add":
		return size{v.times + w.times, v.plus + w.plus}, nil
	case "Mul":
		if v.times != 0 {
			v, w = w, v
		}
		if v.times != 0 || abs(v.plus) > maxSize/max(abs(w.times), abs(w.plus), 1) {
			break
		}
		return size{v.plus * w.times, v.plus * w.plus}, nil
	case "FloorDiv", "CleanDiv":
		switch {
		case w.times == 0 && w.plus > 0 && v.times == 0 && v.plus >= 0:
			return size{0, v.plus / w.plus}, nil
		case w.times == 0 && w.plus > 0 && v.times%w.plus == 0 && v.plus%w.plus == 0:
			return size{v.times / w.plus, v.plus / w.plus}, nil
		case w.plus == 0 && w.times > 0 && v.plus == 0 && v.times >= 0:
			return size{0, v.times / w.times}, nil
		}
	case "Mod", "PythonMod":
		switch {
		case w.times == 0 && w.plus > 0 && v.times%w.plus == 0 && v.plus >= 0:
			return size{0, v.plus % w.plus}, nil
		case w.plus == 0 && w.times > 0 && v.plus == 0 && v.times%w.times == 0:
			return size{}, nil
		}
	case "Max", "Min":
		switch d := (size{v.times - w.times, v.plus - w.plus}); {
		case e.never(d):
			v, w = w, v
			fallthrough
		case e.never(size{-d.times, -d.plus}):
			if f == "Min" {
				return w, nil
			}
			return v, nil
		}
	}
	return size{}, fmt.Errorf("%.40s does not give a multiple of the batch's size", f)
}

// never says whether a size is above zero for no batch of the range.
func (e *expr) never(d size) bool {
	if d.times > 0 {
		return e.max != Unbounded && d.times <= maxSize/max(e.max, 1) && d.times*e.max+d.plus <= 0
	}
	return e.min <= maxSize && d.times >= -maxSize/max(e.min, 1) && d.times*e.min+d.plus <= 0
}

func abs(n int) int { return max(n, -n) }
