using System.Net.ServerSentEvents;
using System.Text.Json;
using Concertina.Gateway.Generations;
using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Chat;

/// <summary>The answer as server-sent events (api-contract 3).</summary>
internal static class ChatStream
{
    private const string EndOfStream = "[DONE]";
    private static readonly byte[] Comment = ": keep-alive\n\n"u8.ToArray();

    /// <summary>
    /// Waits for the first engine output, so that a refusal is still an ordinary error with its status. Only a request that
    /// waits longer than the keep-alive time gets its status before, because proxies close silent connections.
    /// </summary>
    public static async Task<IResult> Begin(HttpContext context, AnswerFrame frame)
    {
        GenerationStep first = await frame.Next(context.RequestAborted);
        switch (first.Kind)
        {
            case StepKind.Failed:
                return new ErrorResult(first.Error!);
            case StepKind.Gone:
                return TypedResults.StatusCode(StatusCodes.Status499ClientClosedRequest);
        }
        context.Response.Headers["x-accel-buffering"] = "no";
        return TypedResults.ServerSentEvents(Events(context, frame, first));
    }

    private static async IAsyncEnumerable<SseItem<string>> Events(HttpContext context, AnswerFrame frame, GenerationStep step)
    {
        using IDisposable open = frame.CountStream();
        bool greeted = false;
        for (; ; step = await frame.Next(context.RequestAborted))
        {
            if (step.Kind == StepKind.Silence)
            {
                // The formatter waits for our next item, so nobody else writes now. It has no comments of its own.
                await context.Response.Body.WriteAsync(Comment, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                continue;
            }
            if (!greeted && step.Kind is StepKind.Text or StepKind.End)
            {
                greeted = true;
                yield return Event(frame, new ChatChunk.Delta { Role = "assistant", Content = "" }, null);
            }
            if (step.Text.Length > 0)
            {
                yield return Event(frame, new ChatChunk.Delta { Content = step.Text }, null);
            }
            if (step.Kind != StepKind.Text)
            {
                break;
            }
        }
        foreach (SseItem<string> last in Farewell(frame, step))
        {
            yield return last;
        }
    }

    private static IEnumerable<SseItem<string>> Farewell(AnswerFrame frame, GenerationStep step)
    {
        if (step.Kind == StepKind.Gone)
        {
            yield break;
        }
        if (step.Error is { } error)
        {
            yield return new(JsonSerializer.Serialize(ErrorBody.Of(error), GatewayJson.Wire.ErrorBody));
        }
        if (step.Ending is { } ending)
        {
            yield return Event(frame, new ChatChunk.Delta(), ending);
            if (frame.Job.Command.IncludeUsage)
            {
                yield return Event(Chunk(frame, []) with { Usage = ending.Usage });
            }
        }
        yield return new(EndOfStream);
    }

    private static SseItem<string> Event(AnswerFrame frame, ChatChunk.Delta delta, Ending? ending) =>
        Event(Chunk(frame, [new ChatChunk.Part(0, delta, ending?.FinishReason) { StopReason = ending?.StopReason }]));

    private static SseItem<string> Event(ChatChunk chunk) => new(JsonSerializer.Serialize(chunk, GatewayJson.Wire.ChatChunk));

    private static ChatChunk Chunk(AnswerFrame frame, ChatChunk.Part[] choices) =>
        new(frame.Job.Id, frame.Job.Created, frame.Job.Model.Facts.Name, frame.Fingerprint, choices);
}
