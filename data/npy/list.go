package npy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/ndarray"
)

// textKind is the type of an array of text: Unicode or bytes, and how many.
var textKind = regexp.MustCompile(`^([US])(\d{1,9})$`)

// Numbers reads the array of that name, which must be one number or have one axis.
func (a *Archive) Numbers(name string) ([]float64, error) {
	h, err := a.entry(name)
	if err != nil {
		return nil, err
	}
	list, err := h.numbers()
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return list, nil
}

// Text reads the array of that name, which must be one value or have one axis, as
// text. Numbers are written as short as can be.
func (a *Archive) Text(name string) ([]string, error) {
	h, err := a.entry(name)
	if err != nil {
		return nil, err
	}
	list, err := h.text()
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return list, nil
}

// Bytes reads the array of that name, which must be one string of bytes, as np.savez writes
// pickle.dumps(...). It is part of the file where that isn't compressed.
func (a *Archive) Bytes(name string) ([]byte, error) {
	h, err := a.entry(name)
	if err != nil {
		return nil, err
	}
	n, err := h.list()
	if kind := textKind.FindStringSubmatch(h.kind); err == nil && (kind == nil || kind[1] != "S" || n != 1) {
		err = fmt.Errorf("it has the shape %v and the type %s and must be one string of bytes", h.shape, h.kind)
	}
	width := uint64(0)
	if err == nil {
		width, err = h.bytes()
	}
	if err == nil && width > uint64(len(h.data)) {
		err = fmt.Errorf("it needs %d bytes and has %d: the file is truncated; get it again", width, len(h.data))
	}
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return h.data[:width], nil
}

// Labels reads the array of that name as the labels of trials: text, numbers, or rows of
// which one element is 1 and the others are 0, whose label is the number of that element.
// words says that they are text.
func (a *Archive) Labels(name string) (list []string, words bool, err error) {
	h, err := a.entry(name)
	if err != nil {
		return nil, false, err
	}
	if words = textKind.MatchString(h.kind); !words && len(h.shape) == 2 && h.shape[0] != 1 && h.shape[1] > 1 {
		list, err = h.oneHot()
	} else {
		list, err = h.text()
	}
	if err != nil {
		return nil, false, fmt.Errorf("array %q: %w", name, err)
	}
	return list, words, nil
}

func (h *header) oneHot() ([]string, error) {
	a, err := ndarray.New(h.shape, h.kind, h.bigEndian, h.fortran, h.data)
	if err != nil {
		return nil, err
	}
	if a.Shape[0] == 0 {
		return nil, nil
	}
	list, row := make([]string, a.Shape[0]), make([]float64, a.Shape[1])
	for i := range list {
		if err := a.Line(row, i); err != nil {
			return nil, err
		}
		at, sum := 0, 0.0
		for k, v := range row {
			if v == 1 {
				at = k
			}
			sum += math.Abs(v)
		}
		if sum != 1 || row[at] != 1 {
			return nil, fmt.Errorf("it has the shape %v, and row %d is no label: one axis is needed, or rows of which one element is 1 and the others are 0", h.shape, i+1)
		}
		list[i] = strconv.Itoa(at)
	}
	return list, nil
}

// list returns how many elements there are.
func (h *header) list() (int64, error) {
	switch len(h.shape) {
	case 0:
		return 1, nil
	case 1:
		return h.shape[0], nil
	case 2: // a row or a column
		if h.shape[0] == 1 || h.shape[1] == 1 {
			return h.shape[0] * h.shape[1], nil
		}
	}
	return 0, fmt.Errorf("it has the shape %v and must have one axis", h.shape)
}

func (h *header) numbers() ([]float64, error) {
	n, err := h.list()
	if err != nil {
		return nil, err
	}
	a, err := ndarray.New([]int64{n}, h.kind, h.bigEndian, false, h.data)
	if err != nil {
		return nil, err
	}
	list := make([]float64, n)
	return list, a.Line(list)
}

func (h *header) text() ([]string, error) {
	found := textKind.FindStringSubmatch(h.kind)
	if found == nil {
		numbers, err := h.numbers()
		list := make([]string, len(numbers))
		for i, v := range numbers {
			list[i] = strconv.FormatFloat(v, 'g', -1, 64)
		}
		return list, err
	}
	n, err := h.list()
	if err != nil {
		return nil, err
	}
	width, err := strconv.ParseInt(found[2], 10, 64)
	if err != nil {
		return nil, err
	}
	if width == 0 {
		return nil, errors.New("its text has no width: the file is damaged")
	}
	character := "u4"
	if found[1] == "S" {
		character = "u1"
	}
	a, err := ndarray.New([]int64{n, width}, character, h.bigEndian, false, h.data)
	if err != nil {
		return nil, err
	}
	list := make([]string, n)
	codes, runes := make([]float64, width), make([]rune, width)
	for i := range list {
		if err := a.Line(codes, i); err != nil {
			return nil, err
		}
		for k, c := range codes {
			runes[k] = rune(min(c, 1<<30)) // an impossible one becomes U+FFFD
		}
		list[i] = strings.TrimRight(string(runes), "\x00")
	}
	return list, nil
}
