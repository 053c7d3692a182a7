// Command ext-authz answers Envoy's external authorization over gRPC by a Rego rule, with OPA as a library: what the
// Envoy plugin of OPA does on the path of a call and nothing else of it, so that whoever is compared with it is
// compared with the least that such a sidecar costs. For benches on loopback.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/open-policy-agent/opa/v1/rego"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

type authorizer struct {
	authv3.UnimplementedAuthorizationServer
	allow rego.PreparedEvalQuery
}

// Check allows what the rule says true of, and nothing else.
func (a *authorizer) Check(ctx context.Context, request *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	http := request.GetAttributes().GetRequest().GetHttp()
	headers := make(map[string]any, len(http.GetHeaders()))
	for name, value := range http.GetHeaders() {
		headers[name] = value
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(http.GetPath(), "/"), "?")
	input := map[string]any{"method": http.GetMethod(), "path": strings.Split(path, "/"), "headers": headers}
	results, err := a.allow.Eval(ctx, rego.EvalInput(input))
	if err != nil || !results.Allowed() {
		return answer(codes.PermissionDenied), nil
	}
	return answer(codes.OK), nil
}

func answer(code codes.Code) *authv3.CheckResponse {
	response := &authv3.CheckResponse{Status: &statuspb.Status{Code: int32(code)}}
	if code != codes.OK {
		denied := &authv3.DeniedHttpResponse{Status: &typev3.HttpStatus{Code: typev3.StatusCode_Forbidden}}
		response.HttpResponse = &authv3.CheckResponse_DeniedResponse{DeniedResponse: denied}
	}
	return response
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "loopback address")
	query := flag.String("query", "", "rule that has to be true, such as data.envoy.authz.allow")
	flag.Parse()
	ctx := context.Background()
	allow, err := rego.New(rego.Query(*query), rego.Load(flag.Args(), nil)).PrepareForEval(ctx)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, &authorizer{allow: allow})
	log.Printf("serving on %s", listener.Addr())
	log.Fatal(server.Serve(listener))
}
