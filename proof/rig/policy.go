package rig

import (
	_ "embed" // the policy
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// policy is a B2C policy of our own. Its codes are as long as LongCodes, but for those by mail and in text messages, whose
// length no policy sets.
//
//go:embed policy.xml
var policy []byte

// Generations is how many codes the policy's profile Generate makes in one session, Tries how many wrong ones lock a code.
const Generations, Tries = 6, 3

// Policies are the settings of a server that serves the policy.
func Policies(t testing.TB) Settings {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "Proof.xml"), policy, 0o600); err != nil {
		t.Fatal(err)
	}
	return Settings{"b2c_policies": folder}
}

// PolicyAnswer is what a call of the policy came to: the code and the session, or a refusal with its Code and UserMessage.
type PolicyAnswer struct {
	Status  int    `json:"-"`
	Made    string `json:"code"` // a refusal has its key here
	Session string `json:"otpost_session"`
}

// Policy calls what target names below the policy, such as technicalprofiles/Generate. An error is a call without an answer.
func (c *Client) Policy(target string, claims map[string]string) (PolicyAnswer, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return PolicyAnswer{}, err
	}
	got, err := c.Send("POST", "/b2c/B2C_1A_Proof/"+target, string(body))
	if err != nil {
		return PolicyAnswer{}, err
	}
	a := PolicyAnswer{Status: got.Status}
	return a, json.Unmarshal(got.Body, &a)
}
