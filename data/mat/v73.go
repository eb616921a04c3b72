package mat

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/eegprune/eegprune/data/hdf5"
)

// arrays73 reads a file of version 7.3, which is HDF5: a variable is a data set whose axes
// are the other way round, a structure is a group of its fields, and cells and arrays of
// structures are references into the group #refs#.
func arrays73(ctx context.Context, r io.ReaderAt, size int64, want func(string) bool, yield func(*Array, error) bool) {
	err := func() error {
		file, err := hdf5.Open(r, size)
		if err != nil {
			return err
		}
		root, err := file.Root()
		if err != nil {
			return err
		}
		links, err := root.Links()
		if err != nil {
			return err
		}
		// Each array takes a reference, or a name, of eight bytes at least.
		most := int(min(maxArrays, size/8))
		v := &reader73{walk: walk{want: want, most: most}, ctx: ctx, file: file}
		for _, l := range links {
			if err := ctx.Err(); err != nil {
				return err
			}
			if strings.HasPrefix(l.Name, "#") || !want(l.Name) { // #refs#, #subsystem#
				continue
			}
			a, err := v.at(l.At, l.Name, l.Name, 0)
			if err != nil {
				return inPath(l.Name, err)
			}
			if !yield(a, nil) {
				return nil
			}
		}
		return nil
	}()
	if err != nil {
		yield(nil, err)
	}
}

// A reader73 reads a file of version 7.3.
type reader73 struct {
	walk
	ctx  context.Context
	file *hdf5.File
}

// at reads the array at an address, which has that path and name.
func (v *reader73) at(at uint64, path, name string, depth int) (*Array, error) {
	if err := v.enter(depth); err != nil {
		return nil, err
	}
	o, err := v.file.Object(at)
	if err != nil {
		return nil, err
	}
	a := &Array{Name: name, Dims: []int{1, 1}}
	if a.Class, err = textOf(o, "MATLAB_class"); err != nil {
		return nil, err
	}
	special, err := numberOf(o, "MATLAB_object_decode")
	if err != nil {
		return nil, err
	}
	if special != 0 || a.Class == "function_handle" {
		a.refused = notRead(a.Class)
		return a, nil
	}
	if o.IsGroup() {
		return a, v.group(o, a, path, depth)
	}
	return a, v.dataset(o, a, path, depth)
}

func textOf(o *hdf5.Object, name string) (string, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return "", err
	}
	return a.Text()
}

func numberOf(o *hdf5.Object, name string) (float64, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return 0, err
	}
	return a.Number()
}

// group reads a structure, or an array of them.
func (v *reader73) group(o *hdf5.Object, a *Array, path string, depth int) error {
	sparse, err := o.Attribute("MATLAB_sparse")
	if err != nil {
		return err
	}
	if sparse != nil {
		a.Class = "sparse"
		a.refused = notRead(a.Class)
		return nil
	}
	if a.Class == "" || a.Class == "canonical empty" {
		a.Class = "struct"
	}
	links, err := o.Links()
	if err != nil {
		return err
	}
	a.fields = map[string][]*Array{}
	for _, l := range links {
		a.Fields = append(a.Fields, l.Name)
		inner := below(path, l.Name)
		if !v.want(inner) {
			continue
		}
		list, shape, err := v.elements(l.At, inner, l.Name, depth+1)
		if err != nil {
			return inPath(inner, err)
		}
		if shape != nil {
			if len(a.fields) > 0 && !slices.Equal(shape, a.Dims) {
				return fmt.Errorf("its fields are of %v and of %v structures: the file is damaged", a.Dims, shape)
			}
			a.Dims = shape
		}
		a.fields[l.Name] = list
	}
	return nil
}

// elements reads a field. In an array of structures it is references without a class of
// their own, whose shape is that of the array.
func (v *reader73) elements(at uint64, path, name string, depth int) (list []*Array, shape []int, err error) {
	o, err := v.file.Object(at)
	if err != nil {
		return nil, nil, err
	}
	if !o.IsGroup() {
		d, err := o.Dataset()
		if err != nil {
			return nil, nil, err
		}
		class, err := textOf(o, "MATLAB_class")
		if err != nil {
			return nil, nil, err
		}
		if d.Type.Class == hdf5.Reference && class == "" {
			list, err = v.references(d, path, name, depth)
			return list, dims(d.Shape), err
		}
	}
	one, err := v.at(at, path, name, depth)
	return []*Array{one}, nil, err
}

// references reads the arrays that a data set refers to.
func (v *reader73) references(d *hdf5.Dataset, path, name string, depth int) ([]*Array, error) {
	refs, err := d.References()
	if err != nil {
		return nil, err
	}
	list := make([]*Array, len(refs))
	for i, at := range refs {
		if err := v.ctx.Err(); err != nil {
			return nil, err
		}
		if at == 0 {
			list[i] = &Array{Name: name, Class: "double", Dims: []int{0, 0}, numbers: &stored{}}
			continue
		}
		if list[i], err = v.at(at, path, name, depth); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// dims turns the axes of HDF5 into MATLAB's.
func dims(shape []int64) []int {
	var list []int
	for _, n := range shape {
		list = append(list, int(n))
	}
	slices.Reverse(list)
	switch len(list) {
	case 0:
		return []int{1, 1}
	case 1:
		return []int{1, list[0]}
	}
	return list
}

// dataset reads numbers, text or cells.
func (v *reader73) dataset(o *hdf5.Object, a *Array, path string, depth int) error {
	d, err := o.Dataset()
	if err != nil {
		return err
	}
	a.Dims = dims(d.Shape)
	empty, err := numberOf(o, "MATLAB_empty")
	if err != nil {
		return err
	}
	if empty != 0 {
		return v.empty(d, a)
	}
	switch {
	case d.Type.Class == hdf5.Reference:
		a.Class = "cell"
		if !v.want(below(path, "")) {
			return nil
		}
		a.cells, err = v.references(d, below(path, ""), "", depth+1)
	case d.Type.Class == hdf5.Text || d.Type.Class == hdf5.VarText:
		err = v.texts(d, a)
	case a.Class == "char":
		err = v.characters(d, a)
	case d.Type.Class == hdf5.Compound && d.Type.Fields == 2:
		a.refused = complexRefused
	case d.Type.Class != hdf5.Number || d.Type.Kind == "":
		a.refused = notRead(a.Class)
	default:
		if a.numbers = d; a.Class == "" {
			a.Class = map[string]string{"f8": "double", "f4": "single", "f2": "single", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64"}[d.Type.Kind]
		}
	}
	return err
}

// empty is an array without elements, whose data are the sizes of its axes.
func (v *reader73) empty(d *hdf5.Dataset, a *Array) error {
	if d.Len() < 2 || d.Len() > 32 {
		a.Dims = []int{0, 0}
	} else {
		sizes := make([]float64, d.Len())
		if err := d.Floats(v.ctx, sizes, 0); err != nil {
			return err
		}
		a.Dims = nil
		for _, n := range sizes {
			a.Dims = append(a.Dims, int(max(0, min(n, 1<<40))))
		}
		if !slices.Contains(a.Dims, 0) {
			return fmt.Errorf("it is marked as empty and is %s: the file is damaged", a.Shape())
		}
	}
	if a.Class != "char" && a.Class != "cell" && a.Class != "struct" {
		a.numbers = &stored{}
	}
	return nil
}

// characters reads a char array, which is numbers.
func (v *reader73) characters(d *hdf5.Dataset, a *Array) error {
	if d.Len() > maxText {
		a.refused = tooLong(d.Len(), "characters")
		return nil
	}
	codes := make([]float64, d.Len())
	if err := d.Floats(v.ctx, codes, 0); err != nil {
		return err
	}
	if d.Type.Size != 2 {
		a.text = textRows(runes(codes), a.Dims)
		return nil
	}
	units := make([]uint16, len(codes))
	for i, c := range codes {
		units[i] = uint16(c)
	}
	a.text = textRows(utf16.Decode(units), a.Dims)
	return nil
}

// texts reads texts of HDF5, as other programs than MATLAB write them: one is a char array,
// several are a cell array.
func (v *reader73) texts(d *hdf5.Dataset, a *Array) error {
	list, err := d.Texts()
	if err != nil {
		return err
	}
	if len(list) == 1 {
		a.Class, a.text, a.Dims = "char", list, []int{1, len([]rune(list[0]))}
		return nil
	}
	a.Class = "cell"
	for _, t := range list {
		if err := v.enter(0); err != nil {
			return err
		}
		a.cells = append(a.cells, &Array{Class: "char", text: []string{t}, Dims: []int{1, len([]rune(t))}})
	}
	return nil
}
