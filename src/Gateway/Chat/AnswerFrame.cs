using System.Security.Cryptography;
using System.Text;
using Concertina.Gateway.Generations;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Wire;
using Microsoft.Extensions.Logging;

namespace Concertina.Gateway.Chat;

/// <summary>What all parts of one answer share, and the account of how it ended.</summary>
internal sealed class AnswerFrame(ChatJob job, Generation generation, GatewayMetrics metrics, ILogger logger)
{
    private readonly GatewayMetrics _metrics = metrics;
    private bool _ended;

    public ChatJob Job { get; } = job;

    public Generation Generation { get; } = generation;

    /// <summary>Names what results depend on: weights, kernels, unit formats. Known with the first engine output.</summary>
    public string Fingerprint { get; private set; } = "";

    /// <summary>The next step, counted when it is the last.</summary>
    public async ValueTask<GenerationStep> Next(CancellationToken gone)
    {
        GenerationStep step = await Generation.Next(gone);
        if (Fingerprint.Length == 0 && Generation.Admission is { } admission)
        {
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(admission.DeterminismClass));
            Fingerprint = $"fp_{Convert.ToHexStringLower(hash)[..16]}";
        }
        switch (step.Kind)
        {
            case StepKind.End:
                End(step.Ending!.FinishReason, step.Ending.Usage, null);
                break;
            case StepKind.Failed:
                End("error", null, step.Error!.Code);
                break;
            case StepKind.Gone:
                End("abort", null, "client_closed");
                break;
        }
        return step;
    }

    /// <summary>Counts the stream as open until disposed; a stream dropped in the middle of a write ends there.</summary>
    public IDisposable CountStream()
    {
        _metrics.StreamOpened(Job.Model.Facts.Name);
        return new OpenStream(this);
    }

    private sealed class OpenStream(AnswerFrame frame) : IDisposable
    {
        public void Dispose()
        {
            frame._metrics.StreamClosed(frame.Job.Model.Facts.Name);
            frame.End("abort", null, "client_closed");
        }
    }

    private void End(string reason, Usage? usage, string? errorCode)
    {
        if (_ended)
        {
            return;
        }
        _ended = true;
        Job.Scope.ErrorCode = errorCode;
        Job.Scope.Stage(reason);
        Job.Scope.Activity?.SetTag("gen_ai.response.finish_reasons", reason);
        if (usage is not null)
        {
            Job.Scope.Activity?.SetTag("gen_ai.usage.input_tokens", usage.PromptTokens).SetTag("gen_ai.usage.output_tokens", usage.CompletionTokens);
        }
        logger.Finished(Job.Scope.RequestId, Job.Id, reason);
        _metrics.Finished(Job.Model.Facts.Name, reason, usage);
    }
}
