using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Concertina.Gateway;

/// <summary>
/// Retries and timeouts of the calls that may be repeated without harm. Reserving and generating are not among them: both
/// change something, and a lost answer does not say whether it happened.
/// </summary>
internal sealed class GatewayCalls
{
    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(5);

    public GatewayCalls(IOptions<GatewayOptions> options, TimeProvider time)
    {
        Route = Build(time, TimeSpan.FromMilliseconds(options.Value.RouteTimeoutMilliseconds), retries: 1);
        Lookup = Build(time, LookupTimeout, retries: 2);
        Settle = Build(time, SettleTimeout, retries: 2);
    }

    /// <summary>Routing: one more try, all within <see cref="GatewayOptions.RouteTimeoutMilliseconds"/>.</summary>
    public ResiliencePipeline Route { get; }

    /// <summary>Facts, tokenizer parts and loads.</summary>
    public ResiliencePipeline Lookup { get; }

    /// <summary>Usage and cancels, which grains take once however often they are said.</summary>
    public ResiliencePipeline Settle { get; }

    private static ResiliencePipeline Build(TimeProvider time, TimeSpan timeout, int retries) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(new TimeoutStrategyOptions { Timeout = timeout })
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = retries,
                Delay = TimeSpan.FromMilliseconds(10),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = false,
            })
            .Build();
}
