package extension

import "encoding/json"

// The event as it arrives: like wireEvent, but no member can make the decoding fail except data and otpContext.
// encoding/json matches names in any case, as this contract needs.
type (
	loose struct {
		Type   text      `json:"type"`
		Source text      `json:"source"`
		Data   looseData `json:"data"`
	}
	looseData struct {
		Type text `json:"@odata.type"`
		OTP  struct {
			Identifier text `json:"identifier"`
			Code       text `json:"oneTimeCode"`
		} `json:"otpContext"`
		TenantID    text                 `json:"tenantId"`
		ListenerID  text                 `json:"authenticationEventListenerId"`
		ExtensionID text                 `json:"customAuthenticationExtensionId"`
		Context     object[looseContext] `json:"authenticationContext"`
	}
	looseContext struct {
		CorrelationID text                   `json:"correlationId"`
		Client        object[looseClient]    `json:"client"`
		Protocol      text                   `json:"protocol"`
		RequestType   text                   `json:"requestType"`
		Application   object[loosePrincipal] `json:"clientServicePrincipal"`
		Resource      object[loosePrincipal] `json:"resourceServicePrincipal"`
	}
	looseClient struct {
		IP     text `json:"ip"`
		Locale text `json:"locale"`
		Market text `json:"market"`
	}
	loosePrincipal struct {
		ID             text `json:"id"`
		AppID          text `json:"appId"`
		AppDisplayName text `json:"appDisplayName"`
		DisplayName    text `json:"displayName"`
	}
)

func (p *loosePrincipal) principal() ServicePrincipal {
	return ServicePrincipal{ID: p.ID.value, AppID: p.AppID.value, AppDisplayName: p.AppDisplayName.value,
		DisplayName: p.DisplayName.value}
}

// text is a string that notes how it was given instead of failing.
type text struct {
	value string
	given bool
	// mistyped: it was neither a string nor null. conflicting: it was given twice with different values.
	mistyped    bool
	conflicting bool
}

// UnmarshalJSON is called once for each time the member occurs.
func (t *text) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if b[0] != '"' {
		t.mistyped = true
		return nil
	}
	s, plain := plainString(b)
	if !plain {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	t.conflicting = t.conflicting || t.given && t.value != s
	t.value, t.given = s, true
	return nil
}

// plainString reads a JSON string that needs no decoding: most do not, and this takes a third off the whole event.
func plainString(b []byte) (string, bool) {
	for _, c := range b[1 : len(b)-1] {
		if c < ' ' || c > '~' || c == '\\' {
			return "", false
		}
	}
	return string(b[1 : len(b)-1]), true
}

// object is a T where an object is given, and left as it is by anything else.
type object[T any] struct{ value T }

// UnmarshalJSON is called once for each time the member occurs.
func (o *object[T]) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, &o.value)
}

// nesting is how deep the brackets of a document go. It does not judge the document.
func nesting(body []byte) int {
	depth, deepest := 0, 0
	inString, escaped := false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = c == '\\'
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}
