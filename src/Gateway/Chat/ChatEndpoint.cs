using System.Diagnostics;
using Concertina.Gateway.Generations;
using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Concertina.Gateway.Chat;

/// <summary>POST /v1/chat/completions. Everything that can refuse a request does so before the first byte of the answer.</summary>
internal sealed class ChatEndpoint(ChatReader reader, GenerationOpener opener, GatewayMetrics metrics, ILogger<ChatEndpoint> logger)
{
    public async Task<IResult> Complete(HttpContext context)
    {
        RequestScope scope = RequestScope.Of(context);
        Activity? activity = scope.Activity = GatewayActivity.Start(context, scope.RequestId);
        if (activity is not null)
        {
            // A stream is written after this method; its span ends with the response.
            context.Response.RegisterForDispose(activity);
        }

        // Step 1: who asks, and for what.
        if (!(await reader.Read(context)).Is(out ChatJob? job, out ApiError? error))
        {
            return new ErrorResult(error);
        }
        scope.Model = job.Model.Facts.Name;
        activity?.SetTag("gen_ai.request.model", scope.Model).SetTag("gen_ai.response.id", job.Id);

        // Steps 1 (last part) to 4: tokens, tenant, worker, session.
        Outcome<Generation> opened = await opener.Open(job, context.RequestAborted);
        RateLimitHeaders.Write(context.Response.Headers, job.Reserved);
        return opened.Is(out Generation? generation, out error)
            ? await Answer(context, job, generation)
            : new ErrorResult(error);
    }

    // Steps 5 and 6 happen in the engine. Step 7: tokens become text and events.
    private async Task<IResult> Answer(HttpContext context, ChatJob job, Generation generation)
    {
        // Step 9, on every way out: units and account are settled when the response is over, if not before.
        context.Response.RegisterForDisposeAsync(generation);
        AnswerFrame frame = new(job, generation, metrics, logger);
        return job.Command.Stream
            ? await ChatStream.Begin(context, frame)
            : await WholeAnswer.Read(context, frame);
    }
}
