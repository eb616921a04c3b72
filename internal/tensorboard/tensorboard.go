// Package tensorboard writes event files that TensorBoard reads: scalars over steps, and
// text. A directory is one run; the files in it are read one after another.
package tensorboard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Writer appends to one event file. It serves one goroutine at a time.
type Writer struct {
	file *os.File
	err  error
}

// Create begins a new event file in a directory, which is made where it is not there.
//
// Each call writes whole records and leaves none in memory: of a program that was killed,
// all that it wrote can be read.
func Create(dir string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of event files: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	now := time.Now()
	f, err := create(dir, fmt.Sprintf("events.out.tfevents.%010d.%s.%d", now.Unix(), strings.ReplaceAll(host, "/", "-"), os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("making an event file: %w", err)
	}
	w := &Writer{file: f}
	if err := w.write(version(now)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// create makes a file that was not there. The names of one second and process are counted,
// so that they sort in the order in which they were made.
func create(dir, stem string) (*os.File, error) {
	for n := 0; ; n++ {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%s.%d", stem, n)), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// Start supersedes the points written before from a step on, in this file and in those
// that an interrupted run left in the directory: the run goes on from there.
func (w *Writer) Start(step int64, at time.Time) error {
	return w.write(start(step, at))
}

// Scalar writes a point of the curve that tag names. The file holds it in single
// precision.
func (w *Writer) Scalar(tag string, step int64, value float64, at time.Time) error {
	return w.write(scalar(tag, step, value, at))
}

// Text writes a text in Markdown.
func (w *Writer) Text(tag string, step int64, markdown string, at time.Time) error {
	return w.write(text(tag, step, markdown, at))
}

// Close ends the file.
func (w *Writer) Close() error { return w.file.Close() }

// write appends an event. After an error the file may end within a record, where nothing
// that came after it could be read: so nothing comes.
func (w *Writer) write(event []byte) error {
	if w.err == nil {
		if _, err := w.file.Write(record(event)); err != nil {
			w.err = fmt.Errorf("writing an event file: %w", err)
		}
	}
	return w.err
}

// record frames an event as TensorFlow's record files do: its length and the length's
// checksum, the event and its checksum, all little-endian.
func record(event []byte) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, len(event)+16), uint64(len(event)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, event...)
	return binary.LittleEndian.AppendUint32(b, masked(event))
}

// masked is the CRC-32C of b, changed as record files have it: the checksum of data that
// holds its own checksum would say little.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (c>>15 | c<<17) + 0xa282ead8
}

// The fields of the messages Event, SessionLog, Summary, Summary.Value, SummaryMetadata
// and TensorProto that are written; see event.proto, summary.proto and tensor.proto of
// TensorBoard.
const (
	eventWallTime    protowire.Number = 1
	eventStep        protowire.Number = 2
	eventFileVersion protowire.Number = 3
	eventSummary     protowire.Number = 5
	eventSessionLog  protowire.Number = 7

	sessionStatus protowire.Number = 1

	summaryValue protowire.Number = 1

	valueTag         protowire.Number = 1
	valueSimpleValue protowire.Number = 2
	valueTensor      protowire.Number = 8
	valueMetadata    protowire.Number = 9

	metadataPluginData protowire.Number = 1
	pluginDataName     protowire.Number = 1

	tensorDType  protowire.Number = 1
	tensorShape  protowire.Number = 2
	tensorString protowire.Number = 8
)

const (
	sessionStart = 1 // of SessionLog.SessionStatus
	dtString     = 7 // of DataType
)

// version is the first event of a file.
func version(at time.Time) []byte {
	return protowire.AppendString(protowire.AppendTag(event(0, at), eventFileVersion, protowire.BytesType), "brain.Event:2")
}

// start is the event that supersedes other files' points from a step on.
func start(step int64, at time.Time) []byte {
	return message(event(step, at), eventSessionLog, number(nil, sessionStatus, sessionStart))
}

func scalar(tag string, step int64, value float64, at time.Time) []byte {
	v := message(nil, valueTag, []byte(tag))
	v = protowire.AppendTag(v, valueSimpleValue, protowire.Fixed32Type)
	v = protowire.AppendFixed32(v, math.Float32bits(float32(value)))
	return message(event(step, at), eventSummary, message(nil, summaryValue, v))
}

// text is a tensor of one string that is marked as the text plugin's.
func text(tag string, step int64, markdown string, at time.Time) []byte {
	tensor := number(nil, tensorDType, dtString)
	tensor = message(tensor, tensorShape, nil)
	tensor = message(tensor, tensorString, []byte(markdown))
	v := message(nil, valueTag, []byte(tag))
	v = message(v, valueTensor, tensor)
	v = message(v, valueMetadata, message(nil, metadataPluginData, message(nil, pluginDataName, []byte("text"))))
	return message(event(step, at), eventSummary, message(nil, summaryValue, v))
}

// event begins an event; its time is in seconds since 1970.
func event(step int64, at time.Time) []byte {
	b := protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(at.Unix())+float64(at.Nanosecond())/1e9))
	if step == 0 {
		return b // proto3 leaves out zeros
	}
	return number(b, eventStep, uint64(step))
}

func number(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

// message appends a field of bytes, a string or a message.
func message(b []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), content)
}
