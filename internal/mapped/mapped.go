// Package mapped gives the contents of a file as memory, which the kernel reads from the
// file when it is touched and may drop again at any time. A file that is cut meanwhile, or
// whose disk fails, doesn't end the program.
package mapped

import "errors"

// ErrChanged is wrapped by the error of a file that changed while it was mapped.
var ErrChanged = errors.New("the file changed while it was in use")
