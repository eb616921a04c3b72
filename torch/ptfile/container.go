package ptfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/eegprune/eegprune/internal/pickle"
)

// errEnd is an end of the file before the size that it announced.
var errEnd = errors.New("the file ends too early: it is truncated; get it again")

// Records of the zip format, below a folder of any name.
const (
	pickleRecord  = "data.pkl"
	storageFolder = "data/"
	orderRecord   = "byteorder"
	versionRecord = "version"
	scriptRecord  = "constants.pkl"
	// extraFolder holds a program's additions; torch.load reads none of them.
	extraFolder = "extra/"
)

// content holds the value that a file's pickle builds, and the records beside it.
type content struct {
	value    any
	metadata map[string]string
	skipped  []string
}

// readZip reads the format since PyTorch 1.6.
func readZip(b []byte) (content, error) {
	records, err := OpenRecords(b)
	if err != nil {
		return content{}, err
	}
	folder, found := "", false
	for _, name := range records.Names() {
		if dir, base := path.Split(name); base == pickleRecord && (!found || len(dir) < len(folder)) {
			folder, found = dir, true
		}
	}
	switch {
	case !found:
		return content{}, fmt.Errorf("it is an archive without a %s, so torch.save did not write it", pickleRecord)
	case records.Has(folder + scriptRecord):
		return content{}, errScript
	}
	record := func(name string) ([]byte, error) { return records.Get(folder + name) }
	big := false
	if records.Has(folder + orderRecord) {
		order, err := record(orderRecord)
		if err != nil {
			return content{}, err
		}
		big = string(order) == "big"
	}
	storages := map[string]*storage{}
	r := &reader{storage: func(key string, e elem, n int) (*storage, error) {
		if s := storages[key]; s != nil {
			return s.as(key, e, n)
		}
		data, err := record(storageFolder + key)
		if err != nil {
			return nil, err
		}
		if n*e.size != len(data) {
			return nil, fmt.Errorf("storage %.80q has %d bytes and claims %d elements of %d: the file is damaged", key, len(data), n, e.size)
		}
		storages[key] = &storage{e, n, data, big}
		return storages[key], nil
	}}
	program, err := record(pickleRecord)
	if err != nil {
		return content{}, err
	}
	v, _, err := pickle.Load(program, r)
	if err != nil {
		return content{}, err
	}
	metadata := map[string]string{}
	for _, name := range records.Names() {
		if key, ok := strings.CutPrefix(name, folder+extraFolder); ok && key != "" {
			text, err := record(extraFolder + key)
			if err != nil {
				return content{}, err
			}
			metadata[key] = string(text)
		}
	}
	return content{v, metadata, r.skipped}, nil
}

// as is the storage where a second tensor names it.
func (s *storage) as(key string, e elem, n int) (*storage, error) {
	if e.name == s.elem.name && n == s.n {
		return s, nil
	}
	if e.size*n != s.elem.size*s.n {
		return nil, fmt.Errorf("storage %.80q has %d bytes at one place and %d at another: the file is damaged", key, s.elem.size*s.n, e.size*n)
	}
	other := *s
	other.elem, other.n = e, n
	return &other, nil
}

// legacyMagic is the number that begins the older format, 0x1950a86a20f9469cfc6c, as a
// pickle.
const legacyMagic = "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

const legacyProtocol = 1001

func isLegacy(b []byte) bool { return legacyStart(b) > 0 }

// legacyStart is where the legacy format's magic number ends, 0 where there is none.
// Protocols from 4 on have a frame before it.
func legacyStart(b []byte) int {
	for _, start := range []int{2, 11} {
		if len(b) > start && b[0] == 0x80 && (start == 2 || b[2] == 0x95) && bytes.HasPrefix(b[start:], []byte(legacyMagic)) {
			return start + len(legacyMagic)
		}
	}
	return 0
}

// readLegacy reads the format before PyTorch 1.6: pickles of a number, a version, the
// writer's system, the object and its storages' keys, then each storage's number of
// elements, as 8 bytes, and elements. All numbers are little-endian, whatever the system.
func readLegacy(b []byte) (content, error) {
	b = b[legacyStart(b):]
	storages := map[string]*storage{}
	r := &reader{storage: func(key string, e elem, n int) (*storage, error) {
		if s := storages[key]; s != nil {
			if s.elem.name != e.name || s.n != n {
				return nil, fmt.Errorf("storage %.80q has two types or sizes: the file is damaged", key)
			}
			return s, nil
		}
		storages[key] = &storage{elem: e, n: n}
		return storages[key], nil
	}}
	var parts [4]any
	for i, what := range []string{"version", "system", "object", "storages"} {
		v, length, err := pickle.Load(b, r)
		if err != nil {
			return content{}, fmt.Errorf("the part of it that describes its %s: %w", what, err)
		}
		parts[i], b = v, b[length:]
	}
	if parts[0] != int64(legacyProtocol) {
		return content{}, fmt.Errorf("its version is %s and %d is known: load it in a newer PyTorch and %s", kind(parts[0]), legacyProtocol, mend)
	}
	keys, ok := parts[3].(*pickle.List)
	if !ok {
		return content{}, errors.New("it lists no storages: the file is damaged")
	}
	for _, k := range keys.Items {
		s := storages[text(k)]
		if s == nil || s.data != nil {
			return content{}, fmt.Errorf("it lists a storage %s twice, or one that no tensor has: the file is damaged", kind(k))
		}
		if len(b) < 8 {
			return content{}, errEnd
		}
		n := binary.LittleEndian.Uint64(b)
		b = b[8:]
		if n != uint64(s.n) {
			return content{}, fmt.Errorf("a storage has %d elements where %d were announced: the file is damaged", n, s.n)
		}
		if s.n > len(b)/s.elem.size {
			return content{}, errEnd
		}
		s.data, b = b[:s.n*s.elem.size:s.n*s.elem.size], b[s.n*s.elem.size:]
	}
	return content{parts[2], nil, r.skipped}, nil
}
