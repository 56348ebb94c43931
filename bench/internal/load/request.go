package load

import (
	"fmt"
	"strings"
)

// requests are one worker's prepared requests.
type requests struct {
	issue  []byte
	digits []byte
	verify []byte
	prefix int
	// middle stands between the passcode's id and the length of the body.
	middle string
}

func newRequests(target Target, run, worker int) *requests {
	body := `{"to":"` + formatAddress(run, worker, 0) + `"}`
	fields := "Host: " + target.addr(worker) + "\r\nAuthorization: Bearer " + target.Key +
		"\r\nContent-Type: application/json\r\nContent-Length: "
	issue := fmt.Sprintf("POST /v1/passcodes HTTP/1.1\r\n%s%d\r\n\r\n%s", fields, len(body), body)
	at := strings.LastIndex(issue, body) + len(`{"to":"`) + countAt
	r := &requests{
		issue:  []byte(issue),
		verify: make([]byte, 0, 1<<10),
		middle: "/verify HTTP/1.1\r\n" + fields,
	}
	r.digits = r.issue[at : at+countedDigits]
	r.verify = append(r.verify, "POST /v1/passcodes/"...)
	r.prefix = len(r.verify)
	return r
}

// issuing is the request for a worker's passcode number n.
func (r *requests) issuing(n int) []byte {
	putCount(r.digits, n)
	return r.issue
}

// verifying is the request that tries a code.
func (r *requests) verifying(id []byte, code Code) []byte {
	b := append(r.verify[:r.prefix], id...)
	b = append(b, r.middle...)
	length := len(`{"code":""}`) + code.length
	b = append(b, byte('0'+length/10), byte('0'+length%10))
	b = append(b, "\r\n\r\n{\"code\":\""...)
	b = append(b, code.digits[:code.length]...)
	b = append(b, `"}`...)
	r.verify = b
	return b
}
