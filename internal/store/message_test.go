package store

import (
	"reflect"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
)

func TestMessageTravelsWhole(t *testing.T) {
	m := outbox.Message{Channel: outbox.Email, To: "lea@example.org", From: "code@example.org", FromName: "Zoé",
		Subject: "482913 est votre code", Text: "482913\n", HTML: "<p>482913</p>", Language: "fr", Code: "482913",
		Application: "Boutique", Purpose: "sign_in", Passcode: "pc_1"}
	got, err := decodeMessage(encodeMessage(&m))
	if err != nil || !reflect.DeepEqual(*got, m) {
		t.Errorf("came back as %+v, %v", got, err)
	}
	if n, fields := len(members(&m)), reflect.TypeFor[outbox.Message]().NumField(); n != fields {
		t.Errorf("%d of %d members are written", n, fields)
	}
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add(encodeMessage(&outbox.Message{Text: "x", HTML: "<p>"}))
	f.Add([]byte{messageVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(b)
		if err != nil {
			return
		}
		again, err := decodeMessage(encodeMessage(m))
		if err != nil || *again != *m {
			t.Errorf("read %+v, written and read again %+v, %v", m, again, err)
		}
	})
}
