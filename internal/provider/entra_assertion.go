package provider

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

// entraCertificate proves who an application is by the private key of a certificate that is uploaded to it
// (learn.microsoft.com, "Microsoft identity platform application authentication certificate credentials"; RFC 7523 §2.2).
type entraCertificate struct {
	leaf   *x509.Certificate
	signer jose.Signer
}

// assertionLife is how long an assertion is good for; it is used at once.
const assertionLife = 10 * time.Minute

// assertionClaims are those Entra wants.
type assertionClaims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
}

// readCertificate reads a certificate and its RSA key, as PEM text or from a PEM file. Other certificates, such as those
// of the authorities above, are passed over.
func readCertificate(setting string, env Environment) (*entraCertificate, error) {
	text, err := pemText(setting, env)
	if err != nil {
		return nil, err
	}
	var key *rsa.PrivateKey
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, errors.New("a certificate in it cannot be read")
			}
			certificates = append(certificates, c)
		case "PRIVATE KEY", "RSA PRIVATE KEY":
			var err error
			if key, err = readRSAKey(block.Bytes); err != nil {
				return nil, err
			}
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("the private key has a password; take it away with openssl pkey")
		case "EC PRIVATE KEY":
			return nil, errNotRSA
		}
	}
	if key == nil {
		return nil, errors.New("the private key is missing; want the certificate and its key, one after the other")
	}
	for _, c := range certificates {
		if public, ok := c.PublicKey.(*rsa.PublicKey); ok && public.Equal(&key.PublicKey) {
			return newEntraCertificate(c, key)
		}
	}
	return nil, errors.New("there is no certificate for the private key in it")
}

var errNotRSA = errors.New("the private key is not RSA; Entra takes no other")

func readRSAKey(der []byte) (*rsa.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the private key in it cannot be read")
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, errNotRSA
	}
	return key, nil
}

func newEntraCertificate(leaf *x509.Certificate, key *rsa.PrivateKey) (*entraCertificate, error) {
	sum := sha256.Sum256(leaf.Raw)
	options := new(jose.SignerOptions).WithType("JWT").WithHeader("x5t#S256", base64.RawURLEncoding.EncodeToString(sum[:]))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: key}, options)
	if err != nil {
		return nil, errors.New("the private key cannot sign")
	}
	return &entraCertificate{leaf, signer}, nil
}

// assert makes the assertion that client is who asks the token endpoint audience.
func (c *entraCertificate) assert(client, audience string, now time.Time) (string, error) {
	return jwt.Signed(c.signer).Claims(assertionClaims{
		Audience: audience, Issuer: client, Subject: client, ID: uuid.NewString(),
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(assertionLife).Unix(),
	}).Serialize()
}

// check says whether the certificate's time has come or gone.
func (c *entraCertificate) check(now time.Time) Finding {
	f := Finding{Subject: "certificate", Verdict: Good, Found: "good until " + c.leaf.NotAfter.UTC().Format(time.DateOnly)}
	switch {
	case now.Before(c.leaf.NotBefore):
		f.Verdict, f.Found, f.Do = Bad, "not good before "+c.leaf.NotBefore.UTC().Format(time.DateOnly), "Check the clock of this machine."
	case now.After(c.leaf.NotAfter):
		f.Verdict, f.Found = Bad, "expired on "+c.leaf.NotAfter.UTC().Format(time.DateOnly)
		f.Do = "Make a new certificate, upload its public part to the application, and set it here."
	case c.leaf.NotAfter.Sub(now) < 30*24*time.Hour:
		f.Verdict, f.Do = Doubtful, "Make a new certificate before this one ends."
	}
	return f
}
