// Package brainvision reads recordings of BrainVision's Core Data Format, version 1: a
// header of text (.vhdr), the samples (.eeg) and a list of markers (.vmrk).
package brainvision

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"eegprune/internal/note"
)

// A Channel is one of the recording's.
type Channel struct {
	Name, Reference string
	Resolution      float64 // of one step, in units
	Unit            string  // as the file has it; empty where it says none
}

// A Marker is one entry of the list of markers.
type Marker struct {
	Type, Description string // "Stimulus", "S  1"
	Sample            int    // counted from 0
	Length            int    // samples
	Channel           int    // counted from 1; 0 for all
}

// A File is an opened recording. Texts are as the file has them.
type File struct {
	Channels []Channel
	Rate     float64 // samples per second
	Samples  int
	Markers  []Marker
	UTF8     bool // whether the header says that its texts are UTF-8
	Notes    []note.Note

	path       string
	data       string // the file of samples
	kind       numbers
	vectorized bool
}

// numbers are how samples are stored.
type numbers struct {
	width int
	value func([]byte) float64
}

func numbersNamed(name string) (numbers, bool) {
	n, ok := map[string]numbers{
		"INT_16":        {2, func(b []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(b))) }},
		"UINT_16":       {2, func(b []byte) float64 { return float64(binary.LittleEndian.Uint16(b)) }},
		"INT_32":        {4, func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) }},
		"IEEE_FLOAT_32": {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }},
	}[strings.ToUpper(name)]
	return n, ok
}

// maxText bounds a header and a list of markers.
const maxText = 64 << 20

// Open reads the header and the markers of the recording whose header is at path.
func Open(path string) (*File, error) {
	f := &File{path: path}
	head, err := readText(path)
	if err != nil {
		return nil, err
	}
	if err := f.header(head); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func readText(path string) (sections, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(file, maxText+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if len(b) > maxText {
		return nil, fmt.Errorf("%s: it has more than %d bytes, which no text of BrainVision has", path, maxText)
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if first := b[:min(len(b), 60)]; !bytes.HasPrefix(first, []byte("Brain")) || !bytes.Contains(first, []byte("Data Exchange")) {
		return nil, fmt.Errorf("%s: it does not begin as a text of BrainVision does: it is none, or damaged", path)
	}
	return parseSections(string(b)), nil
}

// sections are the values of a text of [sections] by their keys, in lower case.
type sections map[string]map[string]string

func parseSections(text string) sections {
	all := sections{}
	var at map[string]string
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == ';':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			name := strings.ToLower(line[1 : len(line)-1])
			if all[name] == nil {
				all[name] = map[string]string{}
			}
			if at = all[name]; name == "comment" {
				at = nil
			}
		case at != nil:
			if key, value, ok := strings.Cut(line, "="); ok {
				at[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
			}
		}
	}
	return all
}

// fields are the parts of a value, in which \1 stands for a comma.
func fields(value string) []string {
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(strings.ReplaceAll(parts[i], `\1`, ","))
	}
	return parts
}

func number(text string) (float64, error) {
	return strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
}

const maxChannels = 1 << 16

func (f *File) header(s sections) error {
	common := s["common infos"]
	f.UTF8 = strings.EqualFold(common["codepage"], "UTF-8")
	n, err := strconv.Atoi(common["numberofchannels"])
	if err != nil || n < 1 || n > maxChannels {
		return fmt.Errorf("its NumberOfChannels is %.30q: the header is damaged", common["numberofchannels"])
	}
	interval, err := number(common["samplinginterval"])
	if err != nil || !(interval > 0) || math.IsInf(1e6/interval, 0) {
		return fmt.Errorf("its SamplingInterval is %.30q and must be microseconds: the header is damaged", common["samplinginterval"])
	}
	f.Rate = 1e6 / interval
	if format := common["dataformat"]; format != "" && !strings.EqualFold(format, "BINARY") {
		return fmt.Errorf("its samples are of DataFormat %.20s, and BINARY is read: export it as binary", format)
	}
	if kind := common["datatype"]; kind != "" && !strings.EqualFold(kind, "TIMEDOMAIN") {
		return fmt.Errorf("its DataType is %.30s, and recordings in the time domain are needed", kind)
	}
	f.vectorized = strings.EqualFold(common["dataorientation"], "VECTORIZED")
	var ok bool
	if f.kind, ok = numbersNamed(s["binary infos"]["binaryformat"]); !ok {
		return fmt.Errorf("its BinaryFormat is %.30q, and INT_16, UINT_16, INT_32 and IEEE_FLOAT_32 are read", s["binary infos"]["binaryformat"])
	}
	for i := range n {
		c, err := channel(s["channel infos"][fmt.Sprintf("ch%d", i+1)])
		if err != nil {
			return fmt.Errorf("channel %d: %w", i+1, err)
		}
		f.Channels = append(f.Channels, c)
	}
	if err := f.findData(common["datafile"]); err != nil {
		return err
	}
	return f.findMarkers(common["markerfile"])
}

// channel reads "name,reference,resolution,unit", of which all but the name may be blank.
func channel(value string) (Channel, error) {
	parts := append(fields(value), "", "", "")
	c := Channel{Name: parts[0], Reference: parts[1], Resolution: 1, Unit: parts[3]}
	if c.Name == "" {
		return c, errors.New("it has no name: the header is damaged")
	}
	if parts[2] != "" {
		var err error
		if c.Resolution, err = number(parts[2]); err != nil || math.IsInf(c.Resolution, 0) || math.IsNaN(c.Resolution) {
			return c, fmt.Errorf("its resolution is %.30q: the header is damaged", parts[2])
		}
	}
	if len(fields(value)) < 4 { // before units were in the format, all were microvolts
		c.Unit = "µV"
	}
	return c, nil
}

// sibling is the path of a file that the header names. Files that were renamed together
// have the header's own name: see the note.
func (f *File) sibling(said string, endings ...string) (string, error) {
	own := strings.TrimSuffix(f.path, filepath.Ext(f.path))
	said = strings.ReplaceAll(said, "$b", filepath.Base(own))
	said = filepath.Base(strings.ReplaceAll(said, `\`, "/"))
	path := filepath.Join(filepath.Dir(f.path), said)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	for _, e := range append(endings, filepath.Ext(said)) {
		if _, err := os.Stat(own + e); err == nil {
			f.Notes = append(f.Notes, note.New(note.Corrected, "Its header names %s, which is not there: %s is read.", said, filepath.Base(own+e)))
			return own + e, nil
		}
	}
	return "", fmt.Errorf("it names %s, which is not beside it: %w", said, fs.ErrNotExist)
}

func (f *File) findData(name string) (err error) {
	if f.data, err = f.sibling(name, ".eeg", ".dat"); err != nil {
		return fmt.Errorf("its samples are missing: %w; put the file back, under that name", err)
	}
	info, err := os.Stat(f.data)
	if err != nil {
		return err
	}
	step := int64(f.kind.width * len(f.Channels))
	f.Samples = int(info.Size() / step)
	if rest := info.Size() % step; rest != 0 {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "%d bytes after the last whole sample of all channels are left out.", rest))
		if f.vectorized {
			return fmt.Errorf("%s has %d bytes, no multiple of %d channels: it is cut off; get it again", f.data, info.Size(), len(f.Channels))
		}
	}
	return nil
}

func (f *File) findMarkers(name string) error {
	if name == "" {
		return nil
	}
	path, err := f.sibling(name, ".vmrk")
	if err != nil {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "Its markers are missing: %v.", err))
		return nil
	}
	s, err := readText(path)
	if err != nil {
		return err
	}
	var broken []string
	list := s["marker infos"]
	for i := 1; len(list) > 0 && i <= len(list); i++ {
		value, ok := list[fmt.Sprintf("mk%d", i)]
		if !ok {
			continue
		}
		parts := append(fields(value), "", "", "", "", "")
		at, err := strconv.Atoi(parts[2])
		if err != nil || at < 1 {
			broken = append(broken, fmt.Sprintf("Mk%d", i))
			continue
		}
		length, _ := strconv.Atoi(parts[3]) // blank in old files
		on, _ := strconv.Atoi(parts[4])
		f.Markers = append(f.Markers, Marker{parts[0], parts[1], at - 1, max(0, length), max(0, on)})
	}
	if len(broken) > 0 {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "Markers can't be read and are left out: %s.", strings.Join(broken[:min(len(broken), 6)], ", ")))
	}
	return nil
}

// Read reads the samples of the given channels, counted from 0, in their units.
func (f *File) Read(ctx context.Context, channels []int) (x [][]float64, err error) {
	file, err := os.Open(f.data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	x = make([][]float64, len(channels))
	for k := range x {
		x[k] = make([]float64, f.Samples)
	}
	const block = 4096 // samples
	n, w := len(f.Channels), f.kind.width
	for start := 0; start < f.Samples; start += block {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		count := min(block, f.Samples-start)
		if f.vectorized {
			b := make([]byte, count*w)
			for k, c := range channels {
				if _, err := file.ReadAt(b, int64(c*f.Samples+start)*int64(w)); err != nil {
					return nil, fmt.Errorf("%s: %w", f.data, err)
				}
				for i := range count {
					x[k][start+i] = f.kind.value(b[i*w:]) * f.Channels[c].Resolution
				}
			}
			continue
		}
		b := make([]byte, count*n*w)
		if _, err := file.ReadAt(b, int64(start)*int64(n*w)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.data, err)
		}
		for i := range count {
			for k, c := range channels {
				x[k][start+i] = f.kind.value(b[(i*n+c)*w:]) * f.Channels[c].Resolution
			}
		}
	}
	return x, nil
}
