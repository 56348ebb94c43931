package transform

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// random are methods that draw.
var random = []method{
	drawn("CreateRandomString"),
	// No document has this one. Two of Microsoft's sample policies use it with the parameters of CreateRandomString: that
	// it is the same is UNCONFIRMED.
	drawn("GuidAndRandomGenerator"),
	{
		// The documented secrets are 16 characters of base32 in lower case, which are 80 bits. That all are is UNCONFIRMED.
		name:    "CreateOtpSecret",
		outputs: []slot{str("outputClaim")},
		run: func(r *run) error {
			secret := make([]byte, 10)
			if _, err := io.ReadFull(r.scene.Rand, secret); err != nil {
				return fmt.Errorf("claims transformation %s: %w", r.transformation.ID, err)
			}
			r.output("outputClaim", claim.Text(strings.ToLower(base32.StdEncoding.EncodeToString(secret))))
			return nil
		},
	},
}

func drawn(name string) method {
	return method{
		name: name,
		parameters: []parameter{
			param("randomGeneratorType").within("GUID", "INTEGER"),
			param("stringFormat").checked(formatOf(1)).maybe(),
			param("base64").as(claim.Boolean).maybe(),
			param("maximumNumber").as(claim.Int).from(1).maybe(),
			param("seed").as(claim.Int).maybe(),
		},
		outputs: []slot{str("outputClaim")},
		check:   checkSeed,
		run:     createRandomString,
	}
}

// checkSeed tells what a seed does, and which parameters a GUID has no use for.
func checkSeed(c *inspection) {
	guid := false
	for _, p := range c.transformation.Parameters {
		guid = guid || strings.EqualFold(p.ID, "randomGeneratorType") && strings.EqualFold(strings.TrimSpace(p.Value), "GUID")
	}
	for _, p := range c.transformation.Parameters {
		seed := strings.EqualFold(p.ID, "seed")
		switch {
		case guid && (seed || strings.EqualFold(p.ID, "maximumNumber")):
			c.odd(p.At, "the parameter %s is for INTEGER, and is not looked at for a GUID", p.ID)
		case seed:
			c.odd(p.At, "with the parameter seed every run gives the same number, and another one than in B2C; never use it for a code or a secret")
		}
	}
}

// createRandomString draws, writes what it drew into the format, and encodes the result. A number is less than
// maximumNumber, as with .NET's Random.Next; whether it may be equal is UNCONFIRMED, since the documents say "between".
func createRandomString(r *run) error {
	draw := r.drawNumber
	if r.choice("randomGeneratorType") == "guid" {
		draw = r.drawGUID
	}
	drawn, err := draw()
	if err != nil {
		return fmt.Errorf("claims transformation %s: %w", r.transformation.ID, err)
	}
	text := drawn.String()
	if format, ok := r.parameter("stringFormat"); ok {
		if text, err = r.format(format, drawn); err != nil {
			return err
		}
	}
	if r.on("base64", false) {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	r.output("outputClaim", claim.Text(text))
	return nil
}

func (r *run) drawGUID() (claim.Value, error) {
	var id [16]byte
	if _, err := io.ReadFull(r.scene.Rand, id[:]); err != nil {
		return claim.Value{}, err
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return claim.Text(fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])), nil
}

func (r *run) drawNumber() (claim.Value, error) {
	below := uint64(r.number("maximumNumber", math.MaxInt32))
	if _, seeded := r.parameter("seed"); seeded {
		source := rand.New(rand.NewPCG(uint64(r.number("seed", 0)), 0))
		return claim.Number(int64(source.Uint64N(below))), nil
	}
	// What is beyond the last multiple of below would make small numbers more likely.
	for beyond := math.MaxUint64 - math.MaxUint64%below; ; {
		var bytes [8]byte
		if _, err := io.ReadFull(r.scene.Rand, bytes[:]); err != nil {
			return claim.Value{}, err
		}
		if n := binary.BigEndian.Uint64(bytes[:]); n < beyond {
			return claim.Number(int64(n % below)), nil
		}
	}
}
