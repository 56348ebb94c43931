package provider_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/provider"
)

// msalCertificate and msalAssertion are what @azure/msal-node 5.6.0 made for a certificate of openssl, with its clock at
// examNow: the certificate, and the client_assertion that it posted for the tenant contoso.example.
const (
	msalCertificate = `-----BEGIN CERTIFICATE-----
MIIDDzCCAfegAwIBAgIUZeb9zYLy0SmRGgp9IExDwQQXFaIwDQYJKoZIhvcNAQEL
BQAwFjEUMBIGA1UEAwwLb3Rwb3N0LXRlc3QwIBcNMjYxMTIyMDg1MTMzWhgPMjEy
NjEwMjkwODUxMzNaMBYxFDASBgNVBAMMC290cG9zdC10ZXN0MIIBIjANBgkqhkiG
9w0BAQEFAAOCAQ8AMIIBCgKCAQEArsiU+B3yIgSAoV4sh0K68S7SsVRMLwQjUEvw
CNnYV6E84BG4MjBOLxP1xCStuLqP61Wc7F348GAxmklL4kpLNwRkwvl3Ty2DiU4E
ngdVsT9gVkj2ZeEyr0gVfmQHT2pG9cgsQ0R+qBrimBRHf1s1X3Cmj+rxKnE+PzsQ
Ef1ltO+uXMVxwgXbcRkxYmH1EWsRp6wotk3vNJhotVeA0BqEf2vOJO7JSElnBlLS
a18e0ZVTQh9ibHRW8OtoXKZZcu/1nF2afX7t/TBxlmds28qmtau6jUEVPA0/JGf3
u+qDY/TzQCz+dPQ3KfsQbFzNtFTjjE+bLFDn49U+7TX2cVmZRwIDAQABo1MwUTAd
BgNVHQ4EFgQUxDwsxH/5zhHPf4h4DugRwVWxMwowHwYDVR0jBBgwFoAUxDwsxH/5
zhHPf4h4DugRwVWxMwowDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOC
AQEAPQnuCRpHjMK7AiQjPh+8+eIj85aUc881wndoHe9fixkOqb9oZBdpfH9cfhtv
lvNDNT0WoiHPWeH6fcrp2yCvfCBPQK2DQb2kT+2SN1PzrXAZUyrH/23KZhQtxgqQ
oVXcf8YuB6c4yWWeyQxoX/Qqr2QHnkzaTvCKWudOujBAn6XCPgMEkz+LqthbY1d9
3iavSSr2I9c6QE/fTE/lSnCfJedalvahHmo+mfs5Tbvf8Zv97BN6w/o0f3saN1ch
tSYqlH0krXhQbqdc0oBChBmb+chBoTEBJ4uutI54nPGpkV8iP+IgOwlLyD+uJ9SR
PkQKiZtIk2g/Y+IEb6Y3rbScsg==
-----END CERTIFICATE-----
`
	msalAssertion = "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsIng1dCNTMjU2IjoiR3AzM1R1MVhQS3JzZEk2bUdtU1hwLXZmSlFWMWg3RkhPTTNLY1ZRYXB4VS" +
		"J9.eyJhdWQiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vY29udG9zby5leGFtcGxlL29hdXRoMi92Mi4wL3Rva2VuIiwiZXh" +
		"wIjoxNzk1MzQyMjAwLCJpc3MiOiI1ZTJiMGMxYS0xZjdjLTRkMGUtOWE1My0wYzdmM2UyZDFiNGEiLCJzdWIiOiI1ZTJiMGMxYS0xZjdjLTRkM" +
		"GUtOWE1My0wYzdmM2UyZDFiNGEiLCJuYmYiOjE3OTUzNDE2MDAsImp0aSI6ImJhYWJiZTBkLTc0MTAtNDRjOS1iYjkxLWVlYmViNWU1NmQ5NCI" +
		"sImlhdCI6MTc5NTM0MTYwMH0.J76GYXMwpQAoRPQQ_ToMZt8HIA03d7VQ1guaITvuaxjhIrL9341HUIkLffydUQWnVzyX36RxM3WG4aFLsyEZ1" +
		"drBcQjbhmv8M7VtXgXrVI0y5TmhwKYFlOv410IOEEr7nskaMLiobC9fcG_YAmRzX-UxQkQmOnnvWU31IKb7FsaXQ0FymX5hUWqLmC-z0ukHXuW" +
		"CzebV7V79nBdIXVvdnAsTF0eMwak9LyOf1snK3PlcLXnQfH97SJhGQxf93M2WAbZBRNar1w7net3hbhsDJiaAy3Zf80dGJs8bpnKqYEIzeWlE9" +
		"sVSsoQBhojxT6bg364Tf0ICfqy2j7-LxBDX7Q"
)

// checkAssertion refuses what Entra refuses in a client assertion: it is the other side of ours.
func checkAssertion(assertion, audience string, certificate *x509.Certificate, now time.Time) error {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return errors.New("AADSTS50027: not a JWT")
	}
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return err
		}
	}
	var header map[string]string
	var claims struct {
		Aud, Iss, Sub, Jti string
		Nbf, Exp           int64
	}
	if err := errors.Join(json.Unmarshal(decoded[0], &header), json.Unmarshal(decoded[1], &claims)); err != nil {
		return err
	}
	thumb := sha256.Sum256(certificate.Raw)
	switch {
	case header["alg"] != "PS256" || header["typ"] != "JWT":
		return fmt.Errorf("AADSTS50027: header %v", header)
	case header["x5t#S256"] != base64.RawURLEncoding.EncodeToString(thumb[:]):
		return errors.New("AADSTS700027: the certificate is not known")
	case claims.Aud != audience:
		return fmt.Errorf("AADSTS700023: audience %s, want %s", claims.Aud, audience)
	case claims.Iss != entraClient || claims.Sub != entraClient || claims.Jti == "":
		return fmt.Errorf("AADSTS700021: %+v", claims)
	case now.Unix() < claims.Nbf || now.Unix() >= claims.Exp || claims.Exp-claims.Nbf > 600:
		return fmt.Errorf("AADSTS700024: not within its time: %+v", claims)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash} // RFC 7518 section 3.5
	return rsa.VerifyPSS(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], decoded[2], options)
}

// The other side accepts what Microsoft's own library sends, so what it demands of us is no invention.
func TestTheOtherSideOfAssertionsAcceptsMSAL(t *testing.T) {
	block, _ := pem.Decode([]byte(msalCertificate))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	audience := "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
	if err := checkAssertion(msalAssertion, audience, certificate, examNow); err != nil {
		t.Error(err)
	}
	if err := checkAssertion(msalAssertion+"AAAA", audience, certificate, examNow); err == nil {
		t.Error("a spoilt signature passes")
	}
}

// rsaCertificate makes a certificate that is good around examNow, and returns it with its key as PEM.
func rsaCertificate(t testing.TB) (*x509.Certificate, *rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "otpost"},
		NotBefore: examNow.AddDate(-1, 0, 0), NotAfter: examNow.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key, pemText("CERTIFICATE", der) + pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestCertificateSettings(t *testing.T) {
	certificate, key, text := rsaCertificate(t)
	_, other, _ := rsaCertificate(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pemText("PRIVATE KEY", der)
	}
	leaf := pemText("CERTIFICATE", certificate.Raw)
	file := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, setting, want string }{
		{"PKCS #1", text, ""},
		{"PKCS #8, key first, another certificate between", pkcs8(key) + msalCertificate + leaf, ""},
		{"file", file, ""},
		{"no file", file + ".old", "path of a PEM file that can be read"},
		{"no key", leaf, "the private key is missing"},
		{"no certificate", pkcs8(key), "no certificate for the private key"},
		{"another key", leaf + pkcs8(other), "no certificate for the private key"},
		{"elliptic curve", leaf + pkcs8(curve), "not RSA"},
		{"with a password", leaf + pemText("ENCRYPTED PRIVATE KEY", []byte{1}), "has a password"},
		{"broken key", leaf + pemText("PRIVATE KEY", []byte{1}), "cannot be read"},
		{"broken certificate", pemText("CERTIFICATE", []byte{1}) + pkcs8(key), "cannot be read"},
	} {
		settings := map[string]string{"tenant_id": "contoso.example", "client_id": entraClient, "certificate": test.setting, "from": "codes@id.example.org"}
		s, err := kind(t, "microsoft365").Open(parsed(t, "microsoft365", settings), provider.Environment{Files: os.ReadFile})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "":
			closeSender(t, s)
		case err == nil || !strings.Contains(err.Error(), "setting certificate: ") || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}
