package op

import (
	"fmt"
	"strconv"
	"strings"
)

// number prints v as a number of Python, to the last bit.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// tuple prints numbers as a tuple of Python.
func tuple(v []int) string { return "(" + list(v) + ")" }

func list(v []int) string {
	texts := make([]string, len(v))
	for i, n := range v {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}

// function is the expression of a function of one tensor and some numbers.
func function(name, arg string, numbers ...string) func(c *Call, in func(string) string) string {
	return func(c *Call, in func(string) string) string {
		text := name + "(" + in(arg)
		for _, n := range numbers {
			text += ", " + number(c.Float(n))
		}
		return text + ")"
	}
}

// module is the constructor of a module that takes some numbers.
func module(name string, numbers ...string) func(c *Call) string {
	return func(c *Call) string {
		var texts []string
		for _, n := range numbers {
			texts = append(texts, number(c.Float(n)))
		}
		return fmt.Sprintf("%s(%s)", name, strings.Join(texts, ", "))
	}
}
