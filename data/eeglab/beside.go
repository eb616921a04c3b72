package eeglab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/magic"
	"github.com/eegprune/eegprune/internal/note"
)

// besides is for samples in a file beside the .set, whose name that says.
func (f *File) besides(name string, set map[string]*mat.Array, said size) error {
	path, err := f.find(name, textOf(set["datfile"]))
	if err != nil {
		return err
	}
	if said.epochs == 0 {
		said.epochs = 1
	}
	if said.channels == 0 || said.samples == 0 {
		return errors.New("it doesn't say how many channels and samples there are (nbchan, pnts): correct it by eeg_checkset and save it again")
	}
	high, n := bits.Mul64(uint64(said.samples)*uint64(said.epochs), 4*uint64(said.channels))
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && (high != 0 || n != uint64(info.Size())) {
		is, help := magic.File(path)
		what := "is another recording's, or damaged"
		if uint64(info.Size()) < n {
			what = "is truncated, or another recording's"
		}
		err = fmt.Errorf("its samples are in %s, which has %d bytes, and %d channels of %d samples in %d epoch(s) need %d: that file %s; get it again", filepath.Base(path), info.Size(), said.channels, said.samples, said.epochs, n, what)
		if strings.HasPrefix(is, "a pointer") {
			err = fmt.Errorf("its samples are in %s, which is %s: %s", filepath.Base(path), is, help)
		}
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.samples = &beside{file, said.channels, said.samples * said.epochs, strings.EqualFold(filepath.Ext(path), ".dat")}
	return f.shape(said)
}

// find looks for the file of the samples: by its name, by the one that it had when it was
// saved, and by that of the .set, with which it may have been renamed.
func (f *File) find(names ...string) (string, error) {
	dir := filepath.Dir(f.path)
	stem := strings.TrimSuffix(filepath.Base(f.path), filepath.Ext(f.path))
	var tried []string
	for i, name := range []string{names[0], names[1], stem + ".fdt", stem + ".dat"} {
		if j := strings.LastIndexAny(name, `/\`); j >= 0 { // where it was on another computer
			name = name[j+1:]
		}
		if !ofSamples(name) {
			continue
		}
		tried = append(tried, name)
		path := filepath.Join(dir, name)
		switch _, err := os.Stat(path); {
		case err == nil:
			if i > 0 && name != tried[0] {
				f.Notes = append(f.Notes, note.New(note.Assumed, "Its samples are read from %s, as %s, which it names, isn't there.", name, tried[0]))
			}
			return path, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
		if target, err := os.Readlink(path); err == nil {
			return "", fmt.Errorf("its samples are in %s, a link to content that is not there (%s), as git-annex and DataLad leave them: get it by datalad get or git annex get", name, target)
		}
	}
	if len(tried) == 0 {
		return "", fmt.Errorf("its samples (data) are the text %.40q, which is no name of an .fdt file: load it in EEGLAB and save it again", names[0])
	}
	return "", fmt.Errorf("its samples are in %s, which isn't there: put that file beside it", tried[0])
}

// beside are samples in a file of float32, little-endian: sample by sample, or channel by
// channel in a .dat.
type beside struct {
	file              *os.File
	channels, samples int
	byChannel         bool
}

func (s *beside) Close() error { return s.file.Close() }

// blockBytes is how much is read at once.
const blockBytes = 1 << 18

func (s *beside) read(ctx context.Context, dst [][]float64, rows []int, first int) error {
	if s.byChannel {
		for k, r := range rows {
			if err := s.run(ctx, int64(r)*int64(s.samples)+int64(first), 1, dst[k:k+1], []int{0}); err != nil {
				return err
			}
		}
		return nil
	}
	return s.run(ctx, int64(first)*int64(s.channels), s.channels, dst, rows)
}

// run reads from a number of the file on, of which so many belong to one sample.
func (s *beside) run(ctx context.Context, at int64, width int, dst [][]float64, rows []int) error {
	per := max(1, blockBytes/4/width)
	b := make([]byte, 4*width*min(per, len(dst[0])))
	for done := 0; done < len(dst[0]); done += per {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(per, len(dst[0])-done)
		b = b[:4*width*n]
		if _, err := s.file.ReadAt(b, 4*(at+int64(done)*int64(width))); err != nil {
			return fmt.Errorf("reading %s: %w", filepath.Base(s.file.Name()), err)
		}
		for k, r := range rows {
			for i := range n {
				dst[k][done+i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*(i*width+r):])))
			}
		}
	}
	return nil
}

// Parts returns the file of the samples of the data set at path, nil where they are in it.
func Parts(path string) []string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return ofSamples(e.Name()) }) {
		return nil // a large .set need not be opened for that
	}
	f, err := Open(context.Background(), path)
	if err != nil {
		return nil
	}
	var parts []string
	if s, ok := f.samples.(*beside); ok {
		parts = append(parts, s.file.Name())
	}
	if f.Close() != nil {
		return nil
	}
	return parts
}

// ofSamples reports whether a file is one of samples by its ending.
func ofSamples(name string) bool {
	ending := strings.ToLower(filepath.Ext(name))
	return ending == ".fdt" || ending == ".dat"
}
