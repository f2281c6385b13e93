using System.Diagnostics;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;

namespace Concertina.Gateway.Generations;

/// <summary>
/// One running generation: numbered token chunks in, text steps out. It is never tried twice. Disposing it ends it,
/// returns its units and settles the account, whatever happened before. One reader.
/// </summary>
internal sealed class Generation : IAsyncDisposable
{
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private readonly ChatJob _job;
    private readonly Settlement _settlement;
    private readonly GenerationServices _services;
    private readonly CancellationTokenSource _stop = new();
    private readonly AnswerText _text;
    private readonly TokenClock _clock;
    private ISequenceGrain _sequence;
    private string? _silo;
    private IAsyncEnumerator<TokenChunk> _chunks;
    private bool _routedAgain;
    private Task<bool>? _pending;
    private bool _streamEnded;
    private bool _over;
    private bool _disposed;

    public Generation(Submission submission, Settlement settlement, GenerationServices services)
    {
        (_job, _sequence, _silo) = (submission.Job, submission.Sequence, submission.Silo);
        (_settlement, _services) = (settlement, services);
        _text = _job.Model.Text.OpenAnswer(_job.Command, submission.Request.StopTokens);
        _clock = new TokenClock(services.Metrics, services.Time, _job);
        PromptTokens = submission.Request.PromptTokens;
        _chunks = _sequence.Generate(submission.Request, _stop.Token).GetAsyncEnumerator(_stop.Token);
    }

    /// <summary>Chooses a worker anew and brings the prompt there; used once, when a worker found the first choice out of date.</summary>
    public required Func<CancellationToken, Task<Outcome<Submission>>> RouteAgain { get; init; }

    /// <summary>Prompt length in tokens.</summary>
    public int PromptTokens { get; }

    /// <summary>What admission found; null before the first engine output.</summary>
    public AdmissionFacts? Admission { get; private set; }

    /// <summary>What it ran on; null before its end.</summary>
    public FinishFacts? Finish { get; private set; }

    /// <summary>Waits for what happens next. After <see cref="StepKind.End"/>, <see cref="StepKind.Failed"/> or <see cref="StepKind.Gone"/> nothing does.</summary>
    /// <param name="gone">Cancelled when the client is gone.</param>
    public async ValueTask<GenerationStep> Next(CancellationToken gone)
    {
        if (_over)
        {
            throw new InvalidOperationException("The generation is over.");
        }
        GenerationStep step;
        try
        {
            // Admission comes before the first token and says nothing to the client: until a token, it can still fail as a whole.
            do
            {
                step = await Read(gone);
            }
            while (step.Kind == StepKind.Text && _text.TokensRead == 0);
        }
        catch (Exception failure)
        {
            // Tokens that do not decode, a chunk of half tokens: the client is told, also in mid-stream.
            _services.Logger.GenerationLost(failure, _job.Id, _text.TokensRead);
            step = GenerationStep.Failed(ApiErrors.Internal(_job.Scope.RequestId));
        }
        _over = step.Kind is StepKind.End or StepKind.Failed or StepKind.Gone;
        if (step.Kind == StepKind.End)
        {
            // Before the client learns of the end: its next request must find the reservation corrected.
            await Settle();
        }
        return step;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        if (!_streamEnded)
        {
            await Cancel(_text.TokensRead);
        }
        await _stop.CancelAsync();
        await Leave();
        await Settle();
        _stop.Dispose();
    }

    private async Task<GenerationStep> Read(CancellationToken gone)
    {
        using CancellationTokenSource until = CancellationTokenSource.CreateLinkedTokenSource(gone, _services.Drain.Deadline);
        PlacementHint.Set(_silo);
        _pending ??= _chunks.MoveNextAsync().AsTask();
        try
        {
            if (!await _pending.WaitAsync(_services.KeepAlive, _services.Time, until.Token))
            {
                _streamEnded = true;
                return Broken("the stream of tokens stopped before its end");
            }
        }
        catch (TimeoutException) when (!_pending.IsFaulted)
        {
            return new GenerationStep(StepKind.Silence);
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            return gone.IsCancellationRequested ? new GenerationStep(StepKind.Gone) : GenerationStep.Failed(ApiErrors.Draining());
        }
        catch (Exception failure)
        {
            _streamEnded = true;
            _services.Logger.GenerationLost(failure, _job.Id, _text.TokensRead);
            return GenerationStep.Failed(ApiErrors.Unavailable("The worker"));
        }
        _pending = null;
        return await Take(_chunks.Current, until.Token);
    }

    private async Task<GenerationStep> Take(TokenChunk chunk, CancellationToken cancellation)
    {
        if (chunk.Refusal is { Reason: RefusalReason.StaleRoute } && !_routedAgain)
        {
            return await SubmitAgain(cancellation);
        }
        if (chunk.Refusal is { } refusal)
        {
            _streamEnded = true;
            _services.Metrics.Refused(_job.Model.Facts.Name, refusal.Reason);
            return GenerationStep.Failed(ApiErrors.Of(refusal with { Param = _job.Command.Kv.PlaceOf(refusal.Param) }));
        }
        if (Admission is null && chunk.Admission is null)
        {
            return Broken("the first chunk carries no admission");
        }
        if (chunk.Index != _text.TokensRead)
        {
            return Broken($"a chunk starts at token {chunk.Index} where {_text.TokensRead} was expected");
        }
        Admission ??= chunk.Admission;
        int[] tokens = TokenPacking.Unpack(chunk.Tokens);
        _clock.Tokens(tokens.Length);
        string ready = _text.Append(tokens);
        Finish = chunk.Finish;
        if (_text.StopMatched is not null)
        {
            return await EndAtStop(ready);
        }
        return Finish is { } finish ? EndWith(finish, ready) : new GenerationStep(StepKind.Text, ready);
    }

    /// <summary>Nothing has run yet, so this is no second try of a generation.</summary>
    private async Task<GenerationStep> SubmitAgain(CancellationToken cancellation)
    {
        _routedAgain = true;
        await Leave();
        _streamEnded = true;
        if (!(await RouteAgain(cancellation)).Is(out Submission? submission, out ApiError? error))
        {
            return GenerationStep.Failed(error);
        }
        (_sequence, _silo, _streamEnded) = (submission.Sequence, submission.Silo, false);
        _chunks = _sequence.Generate(submission.Request, _stop.Token).GetAsyncEnumerator(_stop.Token);
        return new GenerationStep(StepKind.Text, "");
    }

    /// <summary>A stop string matched: what the engine generated beyond it is cut from the session.</summary>
    private async Task<GenerationStep> EndAtStop(string text)
    {
        _streamEnded = Finish is not null;
        if (!_streamEnded)
        {
            await Cancel(_text.KeepTokens);
            await ReadFinish();
        }
        _clock.End();
        return new GenerationStep(StepKind.End, text, new Ending("stop", _text.StopMatched, Used()));
    }

    private GenerationStep EndWith(FinishFacts finish, string ready)
    {
        _streamEnded = true;
        _clock.End();
        if (finish.Reason is FinishReason.Error or FinishReason.Cancelled)
        {
            _services.Logger.GenerationFailed(_job.Id, finish.ErrorCode ?? "cancelled", finish.ErrorMessage ?? "The worker cancelled it.");
            return GenerationStep.Failed(ApiErrors.Failed(finish.ErrorCode, _job.Scope.RequestId));
        }
        string text = ready + _text.Flush();
        bool stopped = finish.Reason == FinishReason.Stop || _text.StopMatched is not null;
        return new GenerationStep(StepKind.End, text, new Ending(stopped ? "stop" : "length", _text.StopMatched, Used()));
    }

    /// <summary>Reads past a stop match to the facts of the end; without them the answer is still whole.</summary>
    private async Task ReadFinish()
    {
        try
        {
            using CancellationTokenSource patience = new(FarewellTime, _services.Time);
            while (await (_pending = _chunks.MoveNextAsync().AsTask()).WaitAsync(patience.Token))
            {
                Finish = _chunks.Current.Finish ?? Finish;
            }
            _streamEnded = true;
            _pending = null;
        }
        catch (Exception failure)
        {
            _services.Logger.FinishNotHeard(failure, _job.Id);
        }
    }

    private GenerationStep Broken(string what)
    {
        _services.Logger.StreamBroken(_job.Id, what);
        return GenerationStep.Failed(ApiErrors.Internal(_job.Scope.RequestId));
    }

    private async Task Cancel(int keepTokens)
    {
        try
        {
            await _services.Calls.Settle.ExecuteAsync(async token => await _sequence.Cancel(_job.Id, keepTokens, token).WaitAsync(token));
        }
        catch (Exception failure)
        {
            // The enumeration that is dropped next cancels it as well.
            _services.Logger.CancelNotHeard(failure, _job.Id);
        }
    }

    /// <summary>Drops the enumeration; a move still pending must end first.</summary>
    private async Task Leave()
    {
        try
        {
            if (_pending is { } pending)
            {
                await ((Task)pending).WaitAsync(FarewellTime, _services.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!pending.IsCompleted)
                {
                    throw new TimeoutException($"The stream did not end within {FarewellTime.TotalSeconds} s of its cancellation.");
                }
            }
            await _chunks.DisposeAsync();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // What was asked for.
        }
        catch (Exception failure)
        {
            _services.Logger.StreamNotClosed(failure, _job.Id);
        }
    }

    private Task Settle()
    {
        bool admitted = Admission is not null;
        return _settlement.Settle(admitted ? PromptTokens : 0, Admission?.CachedTokens ?? 0, GeneratedTokens());
    }

    /// <summary>Up to a stop match the tokens read; otherwise what the engine says, which counts the stop token.</summary>
    private int GeneratedTokens() =>
        _text.StopMatched is not null || Finish is null ? _text.TokensRead : Finish.GeneratedTokens;

    private Usage Used()
    {
        int generated = GeneratedTokens();
        Debug.Assert(Admission is not null, "Only an admitted generation ends.");
        return new Usage(PromptTokens, generated, PromptTokens + generated, new Usage.PromptDetails(Admission.CachedTokens))
        {
            Kv = Finish is { } finish ? KvUsage.Of(finish) : null,
        };
    }
}
