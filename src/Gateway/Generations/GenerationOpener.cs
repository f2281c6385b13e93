using System.Globalization;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Microsoft.Extensions.Options;
using Orleans;

namespace Concertina.Gateway.Generations;

/// <summary>Takes a checked request through steps 1 to 4 of the life of a request (docs/ARCHITECTURE.md).</summary>
internal sealed class GenerationOpener(
    IGrainFactory grains, Router router, GenerationServices services, IOptions<GatewayOptions> options)
{
    private const int TokensPerPart = TokenPacking.MaxMessageBytes / sizeof(int);
    private readonly int _defaultNewTokens = options.Value.DefaultNewTokens;

    /// <summary>Renders, reserves, routes and submits.</summary>
    /// <returns>The generation, whose first step tells whether the worker took it; or why it goes nowhere.</returns>
    public async Task<Outcome<Generation>> Open(ChatJob job, CancellationToken cancellation)
    {
        // Step 1, last part: text becomes tokens.
        if (!job.Model.Text.Render(job.Command, job.Model.Facts.ContextLength).Is(out int[]? prompt, out ApiError? error)
            || !LimitOf(job, prompt.Length).Is(out Limit? limit, out error))
        {
            return error;
        }
        job.Scope.Stage("rendered");

        // Step 2: the tenant's limits.
        ITenantGrain tenant = grains.GetGrain<ITenantGrain>(job.Caller.TenantId);
        Settlement settlement = new(tenant, job.Id, services.Calls, services.Logger);
        Outcome<Generation> opened = default;
        try
        {
            if (!(await Reserve(tenant, job, prompt.Length, limit, cancellation)).Is(out _, out error))
            {
                return error;
            }
            job.Scope.Stage("reserved");
            if (!(await RouteAndSubmit(job, prompt, limit, cancellation)).Is(out Submission? submission, out error))
            {
                return error;
            }
            opened = new Generation(submission, settlement, services)
            {
                RouteAgain = gone => RouteAndSubmit(job, prompt, limit, gone),
            };
            return opened;
        }
        finally
        {
            // A call that was given up may still be granted later, so only a tenant that said no is owed nothing.
            if (opened.Value is null && job.Reserved is null or { Outcome: ReserveOutcome.Granted })
            {
                await settlement.Settle(0, 0, 0);
            }
        }
    }

    private async Task<Outcome<ReserveAnswer>> Reserve(
        ITenantGrain tenant, ChatJob job, int promptTokens, Limit limit, CancellationToken cancellation)
    {
        ReserveRequest request = new()
        {
            RequestId = job.Id,
            KeySha256 = job.Caller.KeySha256,
            Model = job.Model.Facts.Name,
            PromptTokens = promptTokens,
            MaxNewTokens = limit.Asked ?? Math.Min(_defaultNewTokens, limit.Room),
        };
        try
        {
            job.Reserved = await tenant.Reserve(request, cancellation).WaitAsync(cancellation);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            services.Logger.TenantSilent(failure, job.Caller.TenantId);
            return ApiErrors.Unavailable("The tenant's account");
        }
        return ApiErrors.Of(job.Reserved, request.Model, (long)request.PromptTokens + request.MaxNewTokens) is { } refused ? refused : job.Reserved;
    }

    private async Task<Outcome<Submission>> RouteAndSubmit(
        ChatJob job, int[] prompt, Limit limit, CancellationToken cancellation)
    {
        // Step 3: the worker.
        RouteRequest route = new()
        {
            TenantId = job.Caller.TenantId,
            SequenceKey = job.SequenceKey,
            PromptTokens = prompt.Length,
            MaxNewTokens = limit.Asked,
            PrefixHashes = PrefixHash.Columns(job.Caller.TenantId, job.Command.CacheSalt, prompt),
        };
        if (!(await router.Route(job.Model, route, cancellation)).Is(out RouteAnswer? answer, out ApiError? error))
        {
            return error;
        }
        job.Scope.Stage("routed");

        // Step 4: the session's grain, on the worker's silo.
        PlacementHint.Set(answer.Silo);
        ISequenceGrain sequence = grains.GetGrain<ISequenceGrain>(job.SequenceKey);
        GenerateRequest request = RequestOf(job, prompt, limit, answer.Epoch);
        if (prompt.Length > TokensPerPart && await Stage(sequence, job.Id, prompt, cancellation) is { } lost)
        {
            return lost;
        }
        return new Submission(job, sequence, request, answer.Silo);
    }

    /// <summary>A prompt over one message's size goes ahead in parts.</summary>
    private async Task<ApiError?> Stage(ISequenceGrain sequence, string requestId, int[] prompt, CancellationToken cancellation)
    {
        try
        {
            for (int offset = 0; offset < prompt.Length; offset += TokensPerPart)
            {
                int count = Math.Min(TokensPerPart, prompt.Length - offset);
                PromptPart part = new(requestId, offset, TokenPacking.Pack(prompt.AsSpan(offset, count)));
                await sequence.Stage(part, cancellation).WaitAsync(cancellation);
            }
            return null;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            services.Logger.GenerationLost(failure, requestId, 0);
            return ApiErrors.Unavailable("The session");
        }
    }

    private static GenerateRequest RequestOf(ChatJob job, int[] prompt, Limit limit, long epoch) => new()
    {
        RequestId = job.Id,
        TenantId = job.Caller.TenantId,
        Model = job.Model.Facts.Name,
        Prompt = prompt.Length > TokensPerPart ? [] : TokenPacking.Pack(prompt),
        PromptTokens = prompt.Length,
        MaxNewTokens = limit.Asked,
        Sampling = job.Command.Sampling,
        StopTokens = StopTokensOf(job),
        CacheSalt = job.Command.CacheSalt,
        Policy = job.Command.Kv.Policy,
        FloorRung = job.Command.Kv.Floor?.Rung,
        FloorNats = job.Command.Kv.Floor?.Nats,
        MaxRatio = job.Command.Kv.MaxRatio,
        TenantFloorRung = job.Reserved!.FloorRung,
        TenantFloorNats = job.Reserved.FloorNats,
        Priority = job.Reserved.Priority,
        Weight = job.Reserved.Weight,
        RouteEpoch = epoch,
    };

    private static int[] StopTokensOf(ChatJob job) =>
        [.. job.Command.StopTokens.Union(job.Command.IgnoreEos ? [] : job.Model.Text.EndTokens)];

    /// <summary>A limit beyond the context is capped, as clients that send huge values expect; a prompt beyond it is refused.</summary>
    private static Outcome<Limit> LimitOf(ChatJob job, int promptTokens)
    {
        int context = job.Model.Facts.ContextLength;
        int room = context - promptTokens;
        long? asked = job.Command.MaxTokens;
        if (room < 1 || (job.Command.StrictMaxTokens && asked > room))
        {
            string sent = string.Create(CultureInfo.InvariantCulture, $"The messages have {promptTokens} tokens");
            return ApiErrors.ContextLength(context, room < 1
                ? $"{sent}. Shorten them."
                : string.Create(CultureInfo.InvariantCulture, $"{sent} and {asked} more were asked for. Ask for at most {room}."));
        }
        int vocabulary = job.Model.Facts.VocabularySize;
        if (job.Command.StopTokens.Any(id => id < 0 || id >= vocabulary))
        {
            return ApiErrors.Invalid("stop_token_ids", string.Create(CultureInfo.InvariantCulture,
                $"'stop_token_ids' must hold ids from 0 to {vocabulary - 1}."));
        }
        if (StopTokensOf(job).Length is int stops and > GenerateRequest.MaxStopTokens)
        {
            return ApiErrors.Invalid("stop_token_ids", string.Create(CultureInfo.InvariantCulture,
                $"'stop_token_ids' and the model's own end tokens are {stops} ids; at most {GenerateRequest.MaxStopTokens} are taken."));
        }
        return new Limit(asked is null ? null : (int)Math.Min(asked.Value, room), room);
    }

    /// <param name="Asked">Most tokens to generate; null: open.</param>
    /// <param name="Room">Tokens the context has left.</param>
    private sealed record Limit(int? Asked, int Room);
}
