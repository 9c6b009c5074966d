// Command go-sdk asks a server what the test beside it wants to know, with Chainguard's own SDK: token file, exchange, Validate,
// Groups, ListRepos, ListTags, ListTagHistory, DiffImage. It prints one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"chainguard.dev/sdk/auth"
	"chainguard.dev/sdk/auth/token"
	platform "chainguard.dev/sdk/proto/platform"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	iam "chainguard.dev/sdk/proto/platform/iam/v1"
	registry "chainguard.dev/sdk/proto/platform/registry/v1"
	"chainguard.dev/sdk/sts"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

type answers struct {
	Self    json.RawMessage `json:"self"`
	Group   json.RawMessage `json:"group"`
	Repo    json.RawMessage `json:"repo"`
	Tag     json.RawMessage `json:"tag"`
	History json.RawMessage `json:"history"`
	Diff    json.RawMessage `json:"diff"`
	// Refused is the gRPC code and message for a digest that nobody knows.
	Refused string `json:"refused"`
	// Stranger is the code and message for a token that nobody made.
	Stranger string `json:"stranger"`
}

func main() {
	api := flag.String("api", "", "platform API, audience of the token file")
	issuer := flag.String("issuer", "", "issuer")
	identity := flag.String("identity", "", "identity to assume")
	group := flag.String("group", "", "name of the group")
	repo := flag.String("repo", "", "name of the repository")
	tag := flag.String("tag", "", "name of the tag")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	found, err := ask(ctx, *api, *issuer, *identity, *group, *repo, *tag)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(ctx context.Context, api, issuer, identity, group, repo, tag string) (*answers, error) {
	saved, err := token.Load(token.KindAccess, api)
	if err != nil {
		return nil, err
	}
	exchanged, err := sts.Exchange(ctx, issuer, api, string(saved), sts.WithIdentity(identity))
	if err != nil {
		return nil, fmt.Errorf("exchange: %w", err)
	}
	credentials := auth.NewFromToken(ctx, "Bearer "+exchanged, false)
	oidc, err := platform.NewOIDCClients(ctx, issuer, credentials)
	if err != nil {
		return nil, err
	}
	defer oidc.Close()
	clients, err := platform.NewPlatformClients(ctx, api, credentials)
	if err != nil {
		return nil, err
	}
	defer clients.Close()

	found := &answers{}
	self, err := oidc.Auth().Validate(ctx, &emptypb.Empty{})
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	found.Self = text(self)
	groups, err := clients.IAM().Groups().List(ctx, &iam.GroupFilter{Name: group})
	if err != nil || len(groups.GetItems()) != 1 {
		return nil, fmt.Errorf("groups: %w, %d of them", err, len(groups.GetItems()))
	}
	found.Group = text(groups.GetItems()[0])
	below := func(id string) *common.UIDPFilter { return &common.UIDPFilter{ChildrenOf: id} }
	repos, err := clients.Registry().Registry().ListRepos(ctx, &registry.RepoFilter{
		Uidp: below(groups.GetItems()[0].GetId()),
		Name: repo,
	})
	if err != nil || len(repos.GetItems()) != 1 {
		return nil, fmt.Errorf("repos: %w, %d of them", err, len(repos.GetItems()))
	}
	id := repos.GetItems()[0].GetId()
	found.Repo = text(repos.GetItems()[0])
	tags, err := clients.Registry().Registry().ListTags(ctx, &registry.TagFilter{Uidp: below(id), Name: tag})
	if err != nil || len(tags.GetItems()) != 1 {
		return nil, fmt.Errorf("tags: %w, %d of them", err, len(tags.GetItems()))
	}
	found.Tag = text(tags.GetItems()[0])
	history, err := clients.Registry().Registry().ListTagHistory(ctx, &registry.TagHistoryFilter{
		ParentId: tags.GetItems()[0].GetId(),
	})
	if err != nil || len(history.GetItems()) == 0 {
		return nil, fmt.Errorf("history: %w, %d entries", err, len(history.GetItems()))
	}
	found.History = text(history)
	first, last := history.GetItems()[0], history.GetItems()[len(history.GetItems())-1]
	diff, err := clients.Registry().Registry().DiffImage(ctx, &registry.DiffImageRequest{
		RepoId:     id,
		FromDigest: first.GetDigest(),
		ToDigest:   last.GetDigest(),
	})
	if err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	found.Diff = text(diff)
	_, err = clients.Registry().Registry().DiffImage(ctx, &registry.DiffImageRequest{
		RepoId:     id,
		FromDigest: "sha256:" + fmt.Sprintf("%064d", 0),
		ToDigest:   last.GetDigest(),
	})
	found.Refused = status.Code(err).String()
	stranger, err := platform.NewPlatformClients(ctx, api, auth.NewFromToken(ctx, "Bearer nonsense", false))
	if err != nil {
		return nil, err
	}
	defer stranger.Close()
	_, err = stranger.Registry().Registry().ListRepos(ctx, &registry.RepoFilter{})
	found.Stranger = fmt.Sprintf("%s: %s", status.Code(err), status.Convert(err).Message())
	return found, nil
}

func text(message proto.Message) json.RawMessage {
	bytes, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		panic(err)
	}
	return bytes
}
