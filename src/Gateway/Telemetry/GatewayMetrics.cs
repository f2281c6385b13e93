using System.Diagnostics.Metrics;
using Concertina.Contracts.Sessions;
using Concertina.Gateway.Wire;

namespace Concertina.Gateway.Telemetry;

/// <summary>What the gateway measures. Names and units are the contract; tags come from closed sets.</summary>
internal sealed class GatewayMetrics
{
    public const string MeterName = "Concertina.Gateway";
    private const string ModelTag = "gen_ai.request.model";

    private static readonly InstrumentAdvice<double> RequestBuckets = new()
    {
        HistogramBucketBoundaries = [0.05, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1_920, 7_680],
    };

    private static readonly InstrumentAdvice<double> FirstTokenBuckets = new()
    {
        HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640],
    };

    private static readonly InstrumentAdvice<double> TokenBuckets = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80],
    };

    private static readonly InstrumentAdvice<int> LengthBuckets = new()
    {
        HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
    };

    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _tokenTime;
    private readonly Histogram<double> _tokenGap;
    private readonly Histogram<int> _promptTokens;
    private readonly Histogram<int> _generatedTokens;
    private readonly Counter<long> _finished;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _snapshots;
    private readonly UpDownCounter<long> _streams;

    public GatewayMetrics(IMeterFactory meters)
    {
        Meter meter = meters.Create(MeterName);
        _requestDuration = meter.CreateHistogram("gen_ai.server.request.duration", "s", "Time from a request's first byte to the end of its answer.", advice: RequestBuckets);
        _firstToken = meter.CreateHistogram("gen_ai.server.time_to_first_token", "s", "Time from a request's first byte to its first token.", advice: FirstTokenBuckets);
        _tokenTime = meter.CreateHistogram("gen_ai.server.time_per_output_token", "s", "Mean time of a request's tokens after the first.", advice: TokenBuckets);
        _tokenGap = meter.CreateHistogram("gateway.token.gap", "s", "Time between one token and the next.", advice: TokenBuckets);
        _promptTokens = meter.CreateHistogram("gateway.request.prompt_tokens", "{token}", "Prompt tokens of a finished request.", advice: LengthBuckets);
        _generatedTokens = meter.CreateHistogram("gateway.request.generated_tokens", "{token}", "Generated tokens of a finished request.", advice: LengthBuckets);
        _finished = meter.CreateCounter<long>("gateway.request.finished", "{request}", "Generations by how they ended.");
        _requests = meter.CreateCounter<long>("gateway.http.requests", "{request}", "HTTP requests of the API by status and error code.");
        _refused = meter.CreateCounter<long>("gateway.request.refused", "{request}", "Requests that routing or a worker refused, by reason.");
        _snapshots = meter.CreateCounter<long>("gateway.route.by_snapshot", "{request}", "Requests routed by the last load snapshot, because the budget grain was silent.");
        _streams = meter.CreateUpDownCounter<long>("gateway.streams.active", "{stream}", "Streams open now.");
    }

    public void Answered(string? model, int status, string? errorCode, TimeSpan elapsed)
    {
        KeyValuePair<string, object?> code = new("error.type", errorCode ?? "");
        KeyValuePair<string, object?> http = new("http.response.status_code", status);
        _requests.Add(1, http, code);
        if (model is not null)
        {
            _requestDuration.Record(elapsed.TotalSeconds, Model(model), code);
        }
    }

    public void FirstToken(string model, TimeSpan elapsed) => _firstToken.Record(elapsed.TotalSeconds, Model(model));

    public void TokenGaps(string model, TimeSpan gap, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _tokenGap.Record(gap.TotalSeconds, Model(model));
        }
    }

    public void MeanTokenTime(string model, TimeSpan perToken) => _tokenTime.Record(perToken.TotalSeconds, Model(model));

    /// <param name="model">Served name.</param>
    /// <param name="reason"><c>stop</c>, <c>length</c>, <c>error</c> or <c>abort</c>.</param>
    /// <param name="usage">Null where it ended without.</param>
    public void Finished(string model, string reason, Usage? usage)
    {
        _finished.Add(1, Model(model), new KeyValuePair<string, object?>("finished_reason", reason));
        if (usage is not null)
        {
            _promptTokens.Record(usage.PromptTokens, Model(model));
            _generatedTokens.Record(usage.CompletionTokens, Model(model));
        }
    }

    public void Refused(string model, RefusalReason reason) =>
        _refused.Add(1, Model(model), new KeyValuePair<string, object?>("reason", reason.ToString()));

    public void RoutedBySnapshot(string model) => _snapshots.Add(1, Model(model));

    public void StreamOpened(string model) => _streams.Add(1, Model(model));

    public void StreamClosed(string model) => _streams.Add(-1, Model(model));

    private static KeyValuePair<string, object?> Model(string name) => new(ModelTag, name);
}
