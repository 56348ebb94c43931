package provider

import (
	"crypto/x509"
	"errors"
	"os"
	"strings"
)

// rootPool reads a root_ca setting, PEM text or the path of a PEM file. Empty means the system's authorities.
func rootPool(setting string) (*x509.CertPool, error) {
	if setting == "" {
		return nil, nil
	}
	pem := []byte(setting)
	if !strings.Contains(setting, "-----BEGIN") {
		var err error
		if pem, err = os.ReadFile(setting); err != nil {
			return nil, err
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in PEM form found")
	}
	return pool, nil
}
