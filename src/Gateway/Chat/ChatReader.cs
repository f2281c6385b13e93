using System.Collections.Concurrent;
using Concertina.Gateway.Generations;
using Concertina.Gateway.Http;
using Concertina.Gateway.Models;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Chat;

/// <summary>Step 1: authenticates, reads and validates; the result is a job in which nothing is left to check but limits.</summary>
internal sealed class ChatReader(
    KeyRing keys, ModelCatalog models, ChatValidator validator, ChatSurroundings surroundings)
{
    private const int MaxNamedFields = 256;
    private readonly ConcurrentDictionary<string, bool> _ignored = new(StringComparer.Ordinal);

    public async Task<Outcome<ChatJob>> Read(HttpContext context)
    {
        if (surroundings.Drain.IsDraining)
        {
            return ApiErrors.Draining();
        }
        // The key comes before the body, so that nobody without one can make us read eight megabytes.
        if (!keys.Identify(context.Request).Is(out Caller? caller, out ApiError? error))
        {
            return error;
        }
        Outcome<ChatRequest> body = await BodyReader.Read(context, GatewayJson.Default.ChatRequest, surroundings.Options.Value.MaxBodyBytes);
        if (!body.Is(out ChatRequest? request, out error)
            || !validator.Check(request, context.Request.Headers).Is(out ChatCommand? command, out error)
            || !models.Find(request.Model).Is(out ServedModel? model, out error))
        {
            return error;
        }
        NameIgnored(request);
        DateTimeOffset now = surroundings.Time.GetUtcNow();
        return new ChatJob($"chatcmpl-{Guid.CreateVersion7(now):N}", caller, model, command)
        {
            Scope = RequestScope.Of(context),
            Created = now.ToUnixTimeSeconds(),
        };
    }

    /// <summary>Each ignored field once, for the operator who wonders why it does nothing.</summary>
    private void NameIgnored(ChatRequest request)
    {
        foreach (string field in request.Others?.Keys ?? Enumerable.Empty<string>())
        {
            if (_ignored.Count < MaxNamedFields && field.Length <= 64 && _ignored.TryAdd(field, true))
            {
                surroundings.Logger.FieldIgnored(field);
            }
        }
    }
}
