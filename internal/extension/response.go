package extension

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
)

// Continue is the body of the only answer the event knows: the code is on its way, show the page that asks for it. It
// goes out with status 200 and the content type application/json (custom-extension-email-otp-send-data, "Response").
const Continue = `{"data":{"@odata.type":"microsoft.graph.OnOtpSendResponseData",` +
	`"actions":[{"@odata.type":"microsoft.graph.OtpSend.continueWithDefaultBehavior"}]}}`

// Judge says what Entra makes of an answer: zero for "sent", or the code of what is wrong with it. Only status 200 is
// accepted, the data's type and the one action's must be right (in any case, with or without "#"), and everything
// else in the body is ignored.
func Judge(status int, contentType string, body []byte) Code {
	if status != http.StatusOK {
		return InvalidHTTPStatus
	}
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return InvalidContentType
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 || string(body) == "null" {
		return EmptyResponse
	}
	type typed struct {
		Type string `json:"@odata.type"`
	}
	var answer struct {
		Data *struct {
			typed
			Actions []*typed `json:"actions"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Data == nil {
		return InvalidResponseBody
	}
	switch {
	case !sameType(answer.Data.Type, ResponseType):
		return InvalidResponseBody
	case len(answer.Data.Actions) != 1:
		return InvalidNumberOfActions
	case answer.Data.Actions[0] == nil || !sameType(answer.Data.Actions[0].Type, ContinueType):
		return InvalidActionType
	}
	return 0
}
