package faults_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificates are those that servers show: a good one, and the ways it can be bad.
type certificates struct {
	good, otherName, expired, selfSigned *tls.Config
	// authority is the file of the one authority that otpost trusts.
	authority string
}

func newCertificates(t testing.TB) *certificates {
	t.Helper()
	root := issue(t, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }, nil)
	k := &certificates{authority: filepath.Join(t.TempDir(), "authority.pem")}
	k.good = serving(issue(t, func(*x509.Certificate) {}, root))
	k.otherName = serving(issue(t, func(c *x509.Certificate) {
		c.IPAddresses, c.DNSNames = nil, []string{"other.example.test"}
	}, root))
	k.expired = serving(issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, root))
	k.selfSigned = serving(issue(t, func(*x509.Certificate) {}, nil))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate[0]})
	if err := os.WriteFile(k.authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

func serving(c *tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{*c}} }

// issue makes a certificate for this machine, changed as the test says, signed by an authority or, without one, by
// itself.
func issue(t testing.TB, change func(*x509.Certificate), by *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "faults"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	change(template)
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
