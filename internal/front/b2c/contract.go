package b2c

import _ "embed"

//go:embed openapi.json
var contract []byte

// OpenAPI is the contract of this door, an OpenAPI 3.1 document that is whole by itself. The caller must not change it.
func OpenAPI() []byte { return contract }
