using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Models;
using Orleans;

namespace Concertina.Gateway.Admin;

/// <summary>Asks the workers of all models, anew each time; one that does not answer fails the whole question by name.</summary>
internal sealed class WorkerDirectory(ModelCatalog models, IGrainFactory grains, GrainLookup lookup)
{
    /// <summary>The workers, by model and then by key.</summary>
    public async Task<Outcome<WorkerLoad[]>> Loads(CancellationToken gone)
    {
        List<WorkerLoad> loads = [];
        foreach (string model in models.Names.Order(StringComparer.Ordinal))
        {
            IMemoryBudgetGrain budget = grains.GetGrain<IMemoryBudgetGrain>(model);
            if (!(await lookup.Ask(budget.Workers, $"The memory budget of '{model}'", gone)).Is(out ClusterLoad? cluster, out ApiError? error))
            {
                return error;
            }
            loads.AddRange(cluster.Workers.OrderBy(worker => worker.Worker, StringComparer.Ordinal));
        }
        return loads.ToArray();
    }

    /// <summary>Memory of each worker.</summary>
    public Task<Outcome<WorkerMemory[]>> Memories(CancellationToken gone) => AskAll((_, worker, token) => worker.Memory(token), gone);

    /// <summary>Sessions of all workers in the order of their keys, as many as the query asks for.</summary>
    public async Task<Outcome<PlacedPage>> Sessions(SessionQuery query, CancellationToken gone)
    {
        if (!(await AskAll((key, worker, token) => Place(key, worker.Sessions(query, token)), gone)).Is(out PlacedPage[]? pages, out ApiError? error))
        {
            return error;
        }
        // One that has moved may have left files where it was; where it is in memory it lives.
        PlacedSession[] all =
        [
            .. pages.SelectMany(page => page.Sessions).GroupBy(placed => placed.Session.SequenceKey)
                .Select(copies => copies.MinBy(placed => placed.Session.Resting)!).OrderBy(placed => placed.Session.SequenceKey, StringComparer.Ordinal),
        ];
        return new PlacedPage([.. all.Take(query.Limit)], all.Length > query.Limit || pages.Any(page => page.HasMore));
    }

    /// <summary>Changes the budget of some workers; the answers say who took it.</summary>
    public async Task<Outcome<BudgetChange>> ChangeBudget(string worker, long bytes, CancellationToken gone) =>
        await lookup.Ask(token => grains.GetGrain<IWorkerGrain>(worker).ChangeBudget(bytes, token), Named(worker), gone);

    private static async Task<PlacedPage> Place(string worker, Task<SessionPage> asked)
    {
        SessionPage page = await asked;
        return new PlacedPage([.. page.Sessions.Select(session => new PlacedSession(worker, session))], page.HasMore);
    }

    private async Task<Outcome<T[]>> AskAll<T>(Func<string, IWorkerGrain, CancellationToken, Task<T>> call, CancellationToken gone)
        where T : class
    {
        if (!(await Loads(gone)).Is(out WorkerLoad[]? loads, out ApiError? error))
        {
            return error;
        }
        List<T> answers = [];
        foreach (WorkerLoad load in loads)
        {
            IWorkerGrain worker = grains.GetGrain<IWorkerGrain>(load.Worker);
            if (!(await lookup.Ask(token => call(load.Worker, worker, token), Named(load.Worker), gone)).Is(out T? answer, out error))
            {
                return error;
            }
            answers.Add(answer);
        }
        return answers.ToArray();
    }

    private static string Named(string worker) => $"Worker '{worker}'";
}
