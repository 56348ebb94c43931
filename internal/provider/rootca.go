package provider

import (
	"crypto/x509"
	"errors"
	"strings"
)

// pemText reads a setting that is PEM text or, where files may be named, the path of a PEM file.
func pemText(setting string, env Environment) ([]byte, error) {
	if strings.Contains(setting, "-----BEGIN") {
		return []byte(setting), nil
	}
	if env.Files == nil {
		return nil, errors.New("want PEM text; a file is read by otpost apply (file:PATH), not by the server")
	}
	text, err := env.Files(setting)
	if err != nil {
		return nil, errors.New("want PEM text, or the path of a PEM file that can be read")
	}
	return text, nil
}

// rootPool reads a root_ca setting. Empty means the system's authorities.
func rootPool(setting string, env Environment) (*x509.CertPool, error) {
	if setting == "" {
		return nil, nil
	}
	pem, err := pemText(setting, env)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in PEM form found")
	}
	return pool, nil
}
