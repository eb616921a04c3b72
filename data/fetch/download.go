package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"eegprune/internal/atomicfile"
)

// attempts is how often a file is tried without a byte of progress.
const attempts = 5

// statusError is an answer that trying again won't change.
type statusError struct {
	url    string
	status string
	code   int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answers %s: see in a browser whether it is still there, or get it from a mirror", e.url, e.status)
}

// errRange is a server that can't go on where a download stopped.
var errRange = errors.New("the server doesn't have the rest of the file")

// get asks for a file from the given byte on. The body begins there, or at 0 if
// from is 0.
func (f *fetcher) get(ctx context.Context, address string, from int64) (io.ReadCloser, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if from > 0 {
		q.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	a, err := f.client.Do(q)
	if err != nil {
		return nil, err
	}
	switch {
	case from == 0 && a.StatusCode == http.StatusOK, from > 0 && a.StatusCode == http.StatusPartialContent:
		return a.Body, nil
	case from > 0 && (a.StatusCode == http.StatusOK || a.StatusCode == http.StatusRequestedRangeNotSatisfiable):
		err = errRange
	case a.StatusCode >= 500 || a.StatusCode == http.StatusTooManyRequests:
		err = fmt.Errorf("%s answers %s", address, a.Status)
	default:
		err = &statusError{address, a.Status, a.StatusCode}
	}
	return nil, errors.Join(err, a.Body.Close())
}

// retry calls do until it succeeds, the context ends, the server refuses, or it
// has failed several times in a row without progress.
func (f *fetcher) retry(ctx context.Context, do func() (progress bool, err error)) error {
	pause := f.options.Pause
	if pause == 0 {
		pause = time.Second
	}
	for tried := 1; ; tried++ {
		progress, err := do()
		var refused *statusError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &refused):
			return err
		case tried >= attempts && !progress:
			return fmt.Errorf("tried %d times: %w; what has come so far is kept: run the same command again to go on", tried, err)
		}
		if progress {
			tried = 0
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause << min(tried, 5)):
		}
	}
}

// download gets a file into a .part file beside target, going on where an
// earlier one stopped, checks it and renames it.
func (f *fetcher) download(ctx context.Context, w wantedFile, target string) (int64, error) {
	part := target + ".part"
	var total int64
	err := f.retry(ctx, func() (bool, error) {
		n, err := f.goOn(ctx, w, part)
		total += n
		return n > 0, err
	})
	if err != nil {
		return total, err
	}
	if !sumMatches(part, w.sum) {
		return total, errors.Join(fmt.Errorf("its checksum isn't %s: what came is damaged, or the data set has changed; it is removed, try again", w.sum), os.Remove(part))
	}
	return total, atomicfile.Rename(part, target)
}

// goOn adds what is missing to the part file. It returns how many bytes came.
func (f *fetcher) goOn(ctx context.Context, w wantedFile, part string) (n int64, err error) {
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	if have > 0 && sumMatches(part, w.sum) {
		return 0, nil // stopped between the last byte and the renaming
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(f.stall(), func() { cancel(errStalled) })
	defer watch.Stop()
	body, err := f.get(ctx, f.address(w.name), have)
	if errors.Is(err, errRange) {
		if err := file.Truncate(0); err != nil {
			return 0, err
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		body, err = f.get(ctx, f.address(w.name), 0)
	}
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(file, watched{body, func() { watch.Reset(f.stall()) }})
	if errors.Is(context.Cause(ctx), errStalled) {
		err = errStalled
	}
	return n, errors.Join(err, body.Close())
}

// errStalled is a connection over which nothing comes.
var errStalled = errors.New("nothing has come for a while")

func (f *fetcher) stall() time.Duration { return cmpOr(f.options.Stall, time.Minute) }

// watched tells of every read that brings something.
type watched struct {
	io.Reader
	alive func()
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.alive()
	}
	return n, err
}

// sumMatches reports whether the file is there and has that SHA-256.
func sumMatches(path, sum string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return errors.Join(err, f.Close()) == nil && hex.EncodeToString(h.Sum(nil)) == sum
}
