package sink

import "io"

// Serve runs one session on a stream.
func Serve(rw io.ReadWriter, receive Receiver) { newSession(rw, receive).serve() }
