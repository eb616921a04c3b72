package ptfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Records are the records of an archive that PyTorch wrote, of torch.save or of torch.export: a zip
// file whose records are stored uncompressed.
type Records struct {
	content []byte
	names   []string
	files   map[string]*zip.File
}

// OpenRecords reads the directory of the archive that b is.
func OpenRecords(b []byte) (*Records, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("its archive is damaged or truncated (%w): get it again", err)
	}
	r := &Records{content: b, files: map[string]*zip.File{}}
	for _, f := range z.File {
		if r.files[f.Name] != nil {
			return nil, fmt.Errorf("its archive has two records %.80q: it is damaged", f.Name)
		}
		r.files[f.Name] = f
		r.names = append(r.names, f.Name)
	}
	return r, nil
}

// Names are the records' names in the order of the archive's directory.
func (r *Records) Names() []string { return r.names }

// Has says whether there is a record of a name.
func (r *Records) Has(name string) bool { return r.files[name] != nil }

// Get returns a record, which is a part of the archive's content.
func (r *Records) Get(name string) ([]byte, error) {
	f, short := r.files[name], name
	if _, rest, ok := strings.Cut(name, "/"); ok {
		short = rest
	}
	if f == nil {
		return nil, fmt.Errorf("its archive lacks the record %.80q: the file is damaged", short)
	}
	if f.Method != zip.Store {
		return nil, fmt.Errorf("its record %.80q is compressed, which PyTorch doesn't do: load it in Python and save it again", short)
	}
	offset, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("its record %.80q is damaged: %w", short, err)
	}
	size := f.UncompressedSize64
	if offset < 0 || offset > int64(len(r.content)) || size > uint64(int64(len(r.content))-offset) {
		return nil, errEnd
	}
	data := r.content[offset : offset+int64(size) : offset+int64(size)]
	// PyTorch writes 0 where torch.serialization.set_crc32_options(False) was called.
	if f.CRC32 != 0 && crc32.ChecksumIEEE(data) != f.CRC32 {
		return nil, fmt.Errorf("its record %.80q does not have the checksum that was written: the file is damaged, get it again", short)
	}
	return data, nil
}

// A RecordWriter writes such an archive.
type RecordWriter struct {
	out *counter
	zip *zip.Writer
}

// NewRecordWriter begins an archive.
func NewRecordWriter(w io.Writer) *RecordWriter {
	out := &counter{w: w}
	return &RecordWriter{out, zip.NewWriter(out)}
}

// Close ends the archive, but does not close its writer.
func (w *RecordWriter) Close() error { return w.zip.Close() }

// A counter knows where in the file the next byte goes.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// alignment is the alignment of records in the file, for torch.load's mmap.
const alignment = 64

// paddingField is the extra field of the archive that PyTorch aligns storages with.
const paddingField = "FB"

// Add writes one record, stored uncompressed and aligned.
func (w *RecordWriter) Add(name string, content []byte) error {
	if err := w.zip.Flush(); err != nil {
		return err
	}
	const localHeader, fieldHeader = 30, 4
	start := w.out.n + localHeader + int64(len(name)) + fieldHeader
	padding := (alignment - start%alignment) % alignment
	extra := binary.LittleEndian.AppendUint16([]byte(paddingField), uint16(padding))
	extra = append(extra, bytes.Repeat([]byte{'Z'}, int(padding))...)
	size := uint64(len(content))
	f, err := w.zip.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, Extra: extra, CRC32: crc32.ChecksumIEEE(content),
		CompressedSize64: size, UncompressedSize64: size})
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return err
}
