using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;
using Concertina.Gateway.Wire.Admin;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Admin;

/// <summary>PUT /admin/kv/budget: how much memory the KV cache may use, from now until the next start.</summary>
internal sealed class BudgetEndpoint(AdminAccess access, WorkerDirectory workers, IOptions<GatewayOptions> options)
{
    /// <summary>All or nothing: where one of the workers cannot have the budget, none is changed.</summary>
    public async Task<IResult> Change(HttpContext context)
    {
        if (access.Refuse(context.Request) is { } refused)
        {
            return new ErrorResult(refused);
        }
        Outcome<BudgetRequest> body = await BodyReader.Read(context, GatewayJson.Default.BudgetRequest, options.Value.MaxBodyBytes);
        if (!body.Is(out BudgetRequest? request, out ApiError? error))
        {
            return new ErrorResult(error);
        }
        if (SizeText.Read(request.Bytes) is not { } bytes)
        {
            return new ErrorResult(ApiErrors.Invalid("bytes", $"'bytes' must be {SizeText.Allowed}."));
        }
        return (await Chosen(request.Worker, bytes, context.RequestAborted)).Is(out string[]? chosen, out error)
            ? await Change(chosen, bytes, context.RequestAborted)
            : new ErrorResult(error);
    }

    private async Task<Outcome<string[]>> Chosen(string? worker, long bytes, CancellationToken gone)
    {
        if (!(await workers.Memories(gone)).Is(out WorkerMemory[]? memories, out ApiError? error))
        {
            return error;
        }
        WorkerMemory[] chosen = [.. memories.Where(memory => worker is null || memory.Load.Worker == worker)];
        if (chosen.Length == 0)
        {
            return worker is null ? ApiErrors.Unavailable("No worker") : ApiErrors.WorkerNotFound(worker);
        }
        foreach (WorkerMemory memory in chosen)
        {
            if (memory.Budget is not { } budget)
            {
                return ApiErrors.ModelLoading(memory.Load.Model);
            }
            if (bytes < budget.LeastBytes || bytes > budget.MostBytes)
            {
                return ApiErrors.BudgetOutOfRange(memory.Load.Worker, bytes, budget);
            }
        }
        return chosen.Select(memory => memory.Load.Worker).ToArray();
    }

    private async Task<IResult> Change(string[] chosen, long bytes, CancellationToken gone)
    {
        List<BudgetList.Budget> changed = [];
        foreach (string worker in chosen)
        {
            if (!(await workers.ChangeBudget(worker, bytes, gone)).Is(out BudgetChange? change, out ApiError? error))
            {
                return new ErrorResult(error);
            }
            if (change.Refusal is not null)
            {
                return new ErrorResult(ApiErrors.BudgetOutOfRange(worker, bytes, change));
            }
            changed.Add(BudgetList.Budget.Of(worker, change));
        }
        return TypedResults.Json(new BudgetList([.. changed]), GatewayJson.Wire.BudgetList);
    }
}
