// Package brainvision reads recordings of BrainVision's Core Data Format, version 1: a
// header of text (.vhdr), the samples (.eeg) and a list of markers (.vmrk).
package brainvision

import (
	"bytes"
	"cmp"
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

	"github.com/eegprune/eegprune/internal/note"
)

// A Channel is one of the recording's.
type Channel struct {
	Name, Reference string
	Resolution      float64 // of one step, in units
	Unit            string  // as the file has it; empty where it says none
	Steps           bool    // whether the file says no resolution
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
	Notes    []note.Note

	path       string
	data       string // the file of samples
	markers    string // that of markers, empty where there is none
	kind       numbers
	order      binary.ByteOrder
	vectorized bool
}

// numbers are how samples are stored.
type numbers struct {
	width int
	whole bool // numbers, whose steps are the resolution
	value func(binary.ByteOrder, []byte) float64
}

func numbersNamed(name string) (numbers, bool) {
	n, ok := map[string]numbers{
		"INT_16":        {2, true, func(o binary.ByteOrder, b []byte) float64 { return float64(int16(o.Uint16(b))) }},
		"UINT_16":       {2, true, func(o binary.ByteOrder, b []byte) float64 { return float64(o.Uint16(b)) }},
		"INT_32":        {4, true, func(o binary.ByteOrder, b []byte) float64 { return float64(int32(o.Uint32(b))) }},
		"IEEE_FLOAT_32": {4, false, func(o binary.ByteOrder, b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }},
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
type sections map[string]*section

// A section is its values by key, of which the last one counts, and all in order.
type section struct {
	values map[string]string
	list   [][2]string
}

// get returns a value, or nothing where there is none.
func (s sections) get(name, key string) string {
	if s[name] == nil {
		return ""
	}
	return s[name].values[key]
}

func parseSections(text string) sections {
	all := sections{}
	var at *section
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == ';':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			name := strings.ToLower(line[1 : len(line)-1])
			if all[name] == nil {
				all[name] = &section{values: map[string]string{}}
			}
			if at = all[name]; name == "comment" {
				at = nil
			}
		case at != nil:
			if key, value, ok := strings.Cut(line, "="); ok {
				key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
				at.values[key] = value
				at.list = append(at.list, [2]string{key, value})
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
	common := func(key string) string { return s.get("common infos", key) }
	n, err := strconv.Atoi(common("numberofchannels"))
	if err != nil || n < 1 || n > maxChannels {
		return fmt.Errorf("its NumberOfChannels is %.30q: the header is damaged", common("numberofchannels"))
	}
	interval, err := number(common("samplinginterval"))
	if err != nil || !(interval > 0) || math.IsInf(1e6/interval, 0) {
		return fmt.Errorf("its SamplingInterval is %.30q and must be microseconds: the header is damaged", common("samplinginterval"))
	}
	f.Rate = 1e6 / interval
	if err := f.form(s); err != nil {
		return err
	}
	if err := f.channels(s, n); err != nil {
		return err
	}
	if err := f.findData(common("datafile"), common("datapoints")); err != nil {
		return err
	}
	if err := f.findMarkers(common("markerfile")); err != nil {
		return err
	}
	f.cut(common("segmentdatapoints"))
	if strings.EqualFold(common("averaged"), "YES") {
		f.Notes = append(f.Notes, note.New(note.Assumed, "It is no recording but an average of %s segments, as its header says, and is read as it stands.", cmp.Or(common("averagedsegments"), "some")))
	}
	return nil
}

// form reads how the samples are stored.
func (f *File) form(s sections) error {
	common := func(key string) string { return s.get("common infos", key) }
	if format := common("dataformat"); format != "" && !strings.EqualFold(format, "BINARY") {
		return fmt.Errorf("its samples are of DataFormat %.20s, and BINARY is read: export it as binary, or convert it by %s", format, f.converted())
	}
	if kind := common("datatype"); kind != "" && !strings.EqualFold(kind, "TIMEDOMAIN") {
		return fmt.Errorf("its DataType is %.30s, and recordings in the time domain are needed", kind)
	}
	switch orientation := strings.ToUpper(common("dataorientation")); orientation {
	case "VECTORIZED":
		f.vectorized = true
	case "MULTIPLEXED", "":
	default:
		return fmt.Errorf("its DataOrientation is %.30q, and MULTIPLEXED and VECTORIZED are read: the header is damaged", orientation)
	}
	f.order = binary.LittleEndian
	if strings.EqualFold(s.get("binary infos", "usebigendianorder"), "YES") {
		f.order = binary.BigEndian
	}
	var ok bool
	if f.kind, ok = numbersNamed(s.get("binary infos", "binaryformat")); !ok {
		return fmt.Errorf("its BinaryFormat is %.30q, and INT_16, UINT_16, INT_32 and IEEE_FLOAT_32 are read", s.get("binary infos", "binaryformat"))
	}
	return nil
}

// converted is the line that makes a file of this one that can be read.
func (f *File) converted() string {
	base := filepath.Base(f.path)
	return fmt.Sprintf(`python -c "import mne; mne.io.read_raw_brainvision('%s', preload=True).export('%s.edf')"`, base, strings.TrimSuffix(base, filepath.Ext(base)))
}

func (f *File) channels(s sections, n int) error {
	var coarse, commas []string
	for i := range n {
		value := s.get("channel infos", fmt.Sprintf("ch%d", i+1))
		c, comma, err := channel(value)
		if err != nil {
			return fmt.Errorf("channel %d: %w", i+1, err)
		}
		if comma {
			commas = append(commas, c.Name)
		}
		if c.Steps {
			coarse = append(coarse, c.Name)
		}
		f.Channels = append(f.Channels, c)
	}
	if more := s.get("channel infos", fmt.Sprintf("ch%d", n+1)); more != "" {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "Its header describes more channels than its NumberOfChannels, %d, which counts.", n))
	}
	if len(commas) > 0 {
		f.Notes = append(f.Notes, note.New(note.Corrected, "Resolutions have a comma where the format has a point: %s.", note.Some(commas, 6)))
	}
	if len(coarse) > 0 && f.kind.whole {
		f.Notes = append(f.Notes, note.New(note.Assumed, "Channels without a resolution are taken to have one of 1: %s.", note.Some(coarse, 6)))
	}
	return nil
}

// cut adds the markers at which segments of equal length begin, where the header has such and
// the markers don't say it.
func (f *File) cut(length string) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 1 || n >= f.Samples || f.Samples/n > maxSegments {
		return
	}
	has := map[int]bool{}
	for _, m := range f.Markers {
		if m.Type == newSegment {
			has[m.Sample] = true
		}
	}
	for at := n; at < f.Samples; at += n {
		if !has[at] {
			f.Markers = append(f.Markers, Marker{Type: newSegment, Sample: at, Length: 1})
		}
	}
}

const (
	newSegment  = "New Segment"
	maxSegments = 1 << 20
)

// channel reads "name,reference,resolution,unit", of which all but the name may be blank.
// comma says that the resolution has a comma for its point.
func channel(value string) (c Channel, comma bool, err error) {
	parts := append(fields(value), "", "", "")
	if len(parts) >= 8 && digits(parts[2]) && digits(parts[3]) {
		parts = append([]string{parts[0], parts[1], parts[2] + "." + parts[3]}, parts[4:]...)
		comma = true
	}
	c = Channel{Name: parts[0], Reference: parts[1], Resolution: 1, Unit: parts[3]}
	if c.Name == "" {
		return c, comma, errors.New("it has no name: the header is damaged")
	}
	if c.Steps = parts[2] == ""; !c.Steps {
		if c.Resolution, err = number(parts[2]); err != nil || math.IsInf(c.Resolution, 0) || math.IsNaN(c.Resolution) {
			return c, comma, fmt.Errorf("its resolution is %.30q: the header is damaged", parts[2])
		}
	}
	if len(fields(value)) < 4 { // before units were in the format, all were microvolts
		c.Unit = "µV"
	}
	return c, comma, nil
}

// uncut puts the parts of a marker's description together that commas in it cut apart: a
// position, a length and a channel follow it.
func uncut(parts []string) []string {
	for k := 3; k+2 < len(parts); k++ {
		if !digits(parts[2]) && digits(parts[k]) && digits(parts[k+1]) && digits(strings.TrimPrefix(parts[k+2], "-")) {
			return append([]string{parts[0], strings.Join(parts[1:k], ",")}, parts[k:]...)
		}
	}
	return parts
}

// digits reports whether a text is digits and nothing else.
func digits(t string) bool {
	return t != "" && strings.Trim(t, "0123456789") == ""
}

// sibling is the path of a file that the header names. Files that were renamed together
// have the header's own name: see the note.
func (f *File) sibling(said string, endings ...string) (string, error) {
	own := strings.TrimSuffix(f.path, filepath.Ext(f.path))
	said = strings.ReplaceAll(said, "$b", filepath.Base(own))
	if said = filepath.Base(strings.ReplaceAll(said, `\`, "/")); said == "." {
		said = "no file"
	}
	path := filepath.Join(filepath.Dir(f.path), said)
	if isFile(path) {
		return path, nil
	}
	for _, e := range append(endings, filepath.Ext(said)) {
		if e == "" {
			continue
		}
		for _, e := range []string{e, strings.ToUpper(e)} {
			if isFile(own + e) {
				f.Notes = append(f.Notes, note.New(note.Corrected, "Its header names %s, which is not there: %s is read.", said, filepath.Base(own+e)))
				return own + e, nil
			}
		}
	}
	return "", fmt.Errorf("it names %s, which is not beside it: %w", said, fs.ErrNotExist)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (f *File) findData(name, points string) (err error) {
	if f.data, err = f.sibling(name, ".eeg", ".dat"); err != nil {
		return fmt.Errorf("its samples are missing: %w; put the file back, under that name", err)
	}
	info, err := os.Stat(f.data)
	if err != nil {
		return err
	}
	step := int64(f.kind.width * len(f.Channels))
	f.Samples = int(info.Size() / step)
	if said, err := strconv.Atoi(points); err == nil && said != f.Samples {
		f.Notes = append(f.Notes, note.New(note.Assumed, "Its header says %d samples, and %s holds %d, which are read.", said, filepath.Base(f.data), f.Samples))
	}
	if rest := info.Size() % step; rest != 0 {
		if f.vectorized {
			return fmt.Errorf("%s has %d bytes, no multiple of %d channels: it is cut off; get it again", f.data, info.Size(), len(f.Channels))
		}
		f.Notes = append(f.Notes, note.New(note.LeftOut, "%d bytes after the last whole sample of all channels are left out.", rest))
	}
	return nil
}

func (f *File) findMarkers(name string) error {
	if own := strings.TrimSuffix(f.path, filepath.Ext(f.path)); name == "" && !isFile(own+".vmrk") && !isFile(own+".VMRK") {
		return nil
	}
	path, err := f.sibling(name, ".vmrk")
	if err != nil {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "Its markers are missing: %v.", err))
		return nil
	}
	f.markers = path
	s, err := readText(path)
	if err != nil {
		return err
	}
	var broken, commas []string
	list := s["marker infos"]
	if list == nil {
		f.Notes = append(f.Notes, note.New(note.Assumed, "%s has no section [Marker Infos]: there are no markers.", filepath.Base(path)))
		return nil
	}
	for _, pair := range list.list {
		number, ok := strings.CutPrefix(pair[0], "mk")
		if !ok || !digits(number) {
			continue
		}
		parts := fields(pair[1])
		if whole := uncut(parts); len(whole) < len(parts) {
			parts = whole
			commas = append(commas, fmt.Sprintf("%q", whole[1]))
		}
		parts = append(parts, "", "", "", "", "")
		at, err := strconv.Atoi(parts[2])
		if err != nil || at < 1 {
			broken = append(broken, "Mk"+number)
			continue
		}
		length, _ := strconv.Atoi(parts[3]) // blank in old files
		on, _ := strconv.Atoi(parts[4])
		f.Markers = append(f.Markers, Marker{parts[0], parts[1], at - 1, max(0, length), max(0, on)})
	}
	if len(commas) > 0 {
		f.Notes = append(f.Notes, note.New(note.Corrected, "Descriptions of markers have commas that should be written \\1: %s.", note.Some(commas, 6)))
	}
	if len(broken) > 0 {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "Markers can't be read and are left out: %s.", note.Some(broken, 6)))
	}
	return nil
}

// Parts returns the files of samples and of markers of the recording whose header is at path;
// none where it can't be read.
func Parts(path string) []string {
	f, err := Open(path)
	if err != nil {
		return nil
	}
	if f.markers == "" {
		return []string{f.data}
	}
	return []string{f.data, f.markers}
}

// Read reads the samples from one to another, which is not among them, of the given channels,
// all counted from 0, in their units.
func (f *File) Read(ctx context.Context, channels []int, from, to int) (x [][]float64, err error) {
	if from < 0 || to > f.Samples || from > to {
		return nil, fmt.Errorf("%s: it has %d samples and not those from %d to %d", f.path, f.Samples, from, to)
	}
	file, err := os.Open(f.data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	x = make([][]float64, len(channels))
	for k := range x {
		x[k] = make([]float64, to-from)
	}
	const block = 4096 // samples
	n, w := len(f.Channels), f.kind.width
	for start := from; start < to; start += block {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		count := min(block, to-start)
		if f.vectorized {
			b := make([]byte, count*w)
			for k, c := range channels {
				if _, err := file.ReadAt(b, (int64(c)*int64(f.Samples)+int64(start))*int64(w)); err != nil {
					return nil, fmt.Errorf("%s: %w", f.data, err)
				}
				for i := range count {
					x[k][start-from+i] = f.kind.value(f.order, b[i*w:]) * f.Channels[c].Resolution
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
				x[k][start-from+i] = f.kind.value(f.order, b[(i*n+c)*w:]) * f.Channels[c].Resolution
			}
		}
	}
	return x, nil
}
