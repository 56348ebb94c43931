package otp

import "github.com/otpost/otpost/internal/passcode"

// Rows are the message keys by provider and operation.
func Rows() map[string]map[passcode.Reason]string {
	rows := map[string]map[passcode.Reason]string{}
	for _, v := range []*provider{&oneTimePassword, &sspr} {
		for i := range v.operations {
			rows[v.name+" "+v.operations[i].name] = v.operations[i].keys
		}
	}
	return rows
}
