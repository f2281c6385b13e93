using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Admin;
using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;
using Concertina.Gateway.Wire.Admin;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Console;

/// <summary>
/// GET /admin/events: memory and sessions of all workers each second, as server-sent events, to the operator's key. When a
/// worker does not answer, an event <c>trouble</c> says so and the stream goes on.
/// </summary>
internal sealed class ConsoleEvents(AdminAccess access, WorkerDirectory workers, DrainState drain, TimeProvider time) : IDisposable
{
    /// <summary>Most streams open at once.</summary>
    public const int MostViewers = 16;

    private const int MostSessions = 100;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _places = new(MostViewers, MostViewers);

    public IResult Watch(HttpContext context)
    {
        if (access.Refuse(context.Request) is { } refused)
        {
            return new ErrorResult(refused);
        }
        if (drain.IsDraining)
        {
            return new ErrorResult(ApiErrors.Draining());
        }
        if (!_places.Wait(0))
        {
            return new ErrorResult(ApiErrors.ConsoleFull(MostViewers));
        }
        context.Response.OnCompleted(() =>
        {
            _places.Release();
            return Task.CompletedTask;
        });
        context.Response.Headers["x-accel-buffering"] = "no";
        return TypedResults.ServerSentEvents(Moments(context.RequestAborted));
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();

    private async IAsyncEnumerable<SseItem<string>> Moments([EnumeratorCancellation] CancellationToken gone)
    {
        using PeriodicTimer timer = new(Every, time);
        do
        {
            yield return await Moment(gone);
        }
        while (await timer.WaitForNextTickAsync(gone) && !drain.IsDraining);
    }

    private async Task<SseItem<string>> Moment(CancellationToken gone)
    {
        if (!(await workers.Memories(gone)).Is(out WorkerMemory[]? memories, out ApiError? error)
            || !(await workers.Sessions(new SessionQuery(null, null, MostSessions), gone)).Is(out PlacedPage? page, out error))
        {
            return new SseItem<string>(JsonSerializer.Serialize(ErrorBody.Of(error).Error, GatewayJson.Wire.Detail), "trouble");
        }
        ConsoleMoment moment = new(
            time.GetUtcNow().ToUnixTimeMilliseconds() / 1_000.0, KvReport.Of(memories).Data, SessionList.Of(page).Data, page.HasMore);
        return new SseItem<string>(JsonSerializer.Serialize(moment, GatewayJson.Wire.ConsoleMoment), "kv");
    }
}
