using System.Text.Json.Serialization;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;

namespace Concertina.Contracts;

/// <summary>Generated JSON of every message; the built-in grain host finds it here.</summary>
[JsonSerializable(typeof(RouteRequest))]
[JsonSerializable(typeof(RouteAnswer))]
[JsonSerializable(typeof(WorkerReport))]
[JsonSerializable(typeof(RungAssignments))]
[JsonSerializable(typeof(ClusterLoad))]
[JsonSerializable(typeof(ModelFacts))]
[JsonSerializable(typeof(WorkerLoad))]
[JsonSerializable(typeof(KvLadder))]
[JsonSerializable(typeof(WorkerMemory))]
[JsonSerializable(typeof(SessionQuery))]
[JsonSerializable(typeof(SessionPage))]
[JsonSerializable(typeof(BudgetChange))]
[JsonSerializable(typeof(GenerateRequest))]
[JsonSerializable(typeof(PromptPart))]
[JsonSerializable(typeof(TokenChunk))]
[JsonSerializable(typeof(SessionStatus))]
[JsonSerializable(typeof(ReserveRequest))]
[JsonSerializable(typeof(ReserveAnswer))]
[JsonSerializable(typeof(UsageRecord))]
[JsonSerializable(typeof(TenantFacts))]
[JsonSerializable(typeof(TenantUsage))]
[JsonSerializable(typeof(KvCharge))]
[JsonSerializable(typeof(TenantSettings))]
[JsonSerializable(typeof(TenantChange))]
[JsonSerializable(typeof(TenantChangeAnswer))]
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
public sealed partial class ContractsJson : JsonSerializerContext;
