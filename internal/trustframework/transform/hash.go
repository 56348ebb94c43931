package transform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// hashes are methods that hash.
var hashes = []method{
	{
		name:       "Hash",
		inputs:     []slot{str("plaintext"), str("salt")},
		parameters: []parameter{param("randomizerSecret").checked(notEmpty)},
		outputs:    []slot{str("hash")},
		check: func(c *inspection) {
			c.odd(c.transformation.At, "no document says how B2C puts the text, the salt and the secret together, so that a hash made here is not the one that B2C makes; those that B2C has stored cannot be compared")
		},
		run: hash,
	},
}

// hash is the base64 of 32 bytes. That they are of SHA-256 is documented (unit-tests, general/readme.md, Hash); that it is
// HMAC with the policy key, over salt and text with the length of the salt before, is our choice.
func hash(r *run) error {
	text, err := r.need("plaintext")
	if err != nil {
		return err
	}
	salt, err := r.need("salt")
	if err != nil {
		return err
	}
	id := r.string("randomizerSecret")
	secret, ok := "", r.scene.Key != nil
	if ok {
		secret, ok = r.scene.Key(id)
	}
	if !ok || secret == "" {
		return r.misuse("the policy key %s is not here; policy keys are given with the policy", id)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(salt.String()))))
	mac.Write([]byte(salt.String()))
	mac.Write([]byte(text.String()))
	r.output("hash", claim.Text(base64.StdEncoding.EncodeToString(mac.Sum(nil))))
	return nil
}
