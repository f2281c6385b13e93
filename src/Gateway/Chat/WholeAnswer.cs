using System.Text;
using Concertina.Gateway.Generations;
using Concertina.Gateway.Http;
using Concertina.Gateway.Kv;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Concertina.Gateway.Chat;

/// <summary>The answer of a request that does not stream.</summary>
internal static class WholeAnswer
{
    public static async Task<IResult> Read(HttpContext context, AnswerFrame frame)
    {
        StringBuilder text = new();
        while (true)
        {
            GenerationStep step = await frame.Next(context.RequestAborted);
            text.Append(step.Text);
            switch (step.Kind)
            {
                case StepKind.End:
                    return Write(context, frame, text.ToString(), step.Ending!);
                case StepKind.Failed:
                    return new ErrorResult(step.Error!);
                case StepKind.Gone:
                    return TypedResults.StatusCode(StatusCodes.Status499ClientClosedRequest);
            }
        }
    }

    private static JsonHttpResult<ChatCompletion> Write(HttpContext context, AnswerFrame frame, string text, Ending ending)
    {
        if (ending.Usage.Kv is { } kv)
        {
            // In a stream these are known only at the end, in usage.kv.
            KvHeaders.Write(context.Response.Headers, kv);
        }
        ChatCompletion.Choice choice = new(0, new ChatCompletion.Message("assistant", text), ending.FinishReason) { StopReason = ending.StopReason };
        ChatCompletion answer = new(
            frame.Job.Id, frame.Job.Created, frame.Job.Model.Facts.Name, frame.Fingerprint, [choice], ending.Usage);
        return TypedResults.Json(answer, GatewayJson.Wire.ChatCompletion);
    }
}
